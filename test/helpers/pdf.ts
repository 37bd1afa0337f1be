// PDFs by hand: as little as a reader needs, and whatever a good writer would not write.
export interface PdfOptions {
  title?: string
  /** With a password that nobody knows. */
  encrypted?: boolean
}

/** `latin` and `code` are of the standard fonts; `han` says what its characters mean, `gb` leaves that to the reader. */
export type PdfFont = 'latin' | 'code' | 'han' | 'gb'

/** One line of print. @param size of the font, in points like `x` and `y`, which count from the page's lower left */
export function print(text: string, { x = 72, y = 700, size = 11, font = 'latin' as PdfFont } = {}): string {
  const bytes = Buffer.from(text, font === 'latin' || font === 'code' ? 'latin1' : 'utf16le')
  if (font === 'han' || font === 'gb') bytes.swap16()
  return `BT /${font} ${size} Tf ${x} ${y} Td <${bytes.toString('hex')}> Tj ET\n`
}

/** Lines below each other, from the top of the page. @param leading in points */
export const printLines = (
  lines: readonly string[],
  { x = 72, size = 11, top = 700, leading = 14, font = 'latin' as PdfFont } = {},
) => lines.map((line, index) => print(line, { x, size, font, y: top - index * leading })).join('')

export const RECTANGLE = '0.5 g 100 100 300 400 re f\n'

const LARGEST_CHARACTER = 0x9fff
const TO_UNICODE = `/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapType 2 def
1 begincodespacerange <0000> <FFFF> endcodespacerange
100 beginbfrange
${Array.from({ length: (LARGEST_CHARACTER + 1) >> 8 }, (_, high) => {
  const hex = high.toString(16).padStart(2, '0')
  return `<${hex}00> <${hex}FF> <${hex}00>`
}).join('\n')}
endbfrange endcmap end end`

const stream = (content: string | Buffer, more = '') =>
  Buffer.concat([
    Buffer.from(`<< /Length ${content.length} ${more} >>\nstream\n`),
    Buffer.from(content as string),
    Buffer.from('\nendstream'),
  ])

/** @param pages what is drawn on each: operators, as `print` makes them, or those already deflated */
export function pdfOf(pages: readonly (string | Buffer)[], { title, encrypted = false }: PdfOptions = {}): Buffer {
  const composite = (base: string, encoding: string, ordering: string, descendant: number, more = '') => [
    `<< /Type /Font /Subtype /Type0 /BaseFont /${base} /Encoding /${encoding} /DescendantFonts [${descendant} 0 R] ${more} >>`,
    `<< /Type /Font /Subtype /CIDFontType0 /BaseFont /${base} /DW 1000 /FontDescriptor 11 0 R /CIDSystemInfo << /Registry (Adobe) /Ordering (${ordering}) /Supplement 0 >> >>`,
  ]
  const firstPage = 12
  const objects: (string | Buffer)[] = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    `<< /Type /Pages /Count ${pages.length} /Kids [${pages.map((_, index) => `${firstPage + index * 2} 0 R`).join(' ')}] >>`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>',
    '<< /Type /Font /Subtype /Type1 /BaseFont /Courier /Encoding /WinAnsiEncoding >>',
    ...composite('SimSun', 'Identity-H', 'Identity', 6, '/ToUnicode 9 0 R'),
    ...composite('STSong-Light', 'UniGB-UCS2-H', 'GB1', 8),
    stream(TO_UNICODE),
    `<< /Title <feff${Buffer.from(title ?? '', 'utf16le')
      .swap16()
      .toString('hex')}> >>`,
    '<< /Type /FontDescriptor /FontName /SimSun /Flags 4 /ItalicAngle 0 /Ascent 880 /Descent -120 /FontBBox [0 0 1000 1000] >>',
  ]
  for (const [index, page] of pages.entries()) {
    objects.push(
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents ${firstPage + index * 2 + 1} 0 R /Resources << /Font << /latin 3 0 R /code 4 0 R /han 5 0 R /gb 7 0 R >> >> >>`,
      typeof page === 'string' ? stream(page) : stream(page, '/Filter /FlateDecode'),
    )
  }
  const key = '00'.repeat(32)
  const encryption = encrypted
    ? `/Encrypt << /Filter /Standard /V 1 /R 2 /O <${key}> /U <${key}> /P -4 >> /ID [<00> <00>]`
    : ''
  const parts: Buffer[] = [Buffer.from('%PDF-1.7\n')]
  const offsets: number[] = []
  let at = parts[0]?.length ?? 0
  const add = (part: Buffer) => {
    parts.push(part)
    at += part.length
  }
  for (const [index, object] of objects.entries()) {
    offsets.push(at)
    add(Buffer.concat([Buffer.from(`${index + 1} 0 obj\n`), Buffer.from(object as string), Buffer.from('\nendobj\n')]))
  }
  const table = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('')
  const info = title === undefined ? '' : '/Info 10 0 R'
  const count = objects.length + 1
  const start = at
  add(
    Buffer.from(
      `xref\n0 ${count}\n0000000000 65535 f \n${table}trailer\n<< /Size ${count} /Root 1 0 R ${info} ${encryption} >>\n`,
    ),
  )
  add(Buffer.from(`startxref\n${start}\n%%EOF\n`))
  return Buffer.concat(parts)
}
