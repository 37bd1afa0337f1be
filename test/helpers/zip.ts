// Zips by hand, among them those that no packer would make.
import { crc32, deflateRawSync } from 'node:zlib'

export interface ZipFile {
  /** Bytes where the encoding matters. */
  name: string | Buffer
  content?: string | Buffer
  /** Already compressed by `method`; `content` then only counts for the checksum. */
  packed?: Buffer
  /** 8 deflated, which is what is done unless said otherwise, 0 stored. */
  method?: number
  /** 0x1 encrypted, 0x800 the name is UTF-8. */
  flags?: number
  /** Of the file, as Unix knows it: 0o120777 is a link. */
  mode?: number
  /** What the archive says of the content, where that is not the truth. */
  claims?: { crc?: number; size?: number }
}

/** @param claims.entries how many the archive says there are */
export function zipOf(files: readonly ZipFile[], claims: { entries?: number } = {}): Buffer {
  const local: Buffer[] = []
  const central: Buffer[] = []
  let offset = 0
  for (const file of files) {
    const { content = '', method = 8, flags = 0x800, mode = 0o100644 } = file
    const name = Buffer.from(file.name as string)
    const plain = Buffer.from(content as string)
    const packed = file.packed ?? (method === 8 ? deflateRawSync(plain) : plain)
    const common = Buffer.alloc(26)
    common.writeUInt16LE(20, 0)
    common.writeUInt16LE(flags, 2)
    common.writeUInt16LE(method, 4)
    common.writeUInt32LE(file.claims?.crc ?? crc32(plain), 10)
    common.writeUInt32LE(packed.length, 14)
    common.writeUInt32LE(file.claims?.size ?? plain.length, 18)
    common.writeUInt16LE(name.length, 22)
    const rest = Buffer.alloc(14)
    rest.writeUInt32LE(mode * 0x10000, 6)
    rest.writeUInt32LE(offset, 10)
    local.push(Buffer.from('PK\x03\x04'), common, name, packed)
    central.push(Buffer.from('PK\x01\x02'), Buffer.from([20, 3]), common, rest, name)
    offset += 30 + name.length + packed.length
  }
  const directory = Buffer.concat(central)
  const end = Buffer.alloc(18)
  end.writeUInt16LE(claims.entries ?? files.length, 4)
  end.writeUInt16LE(claims.entries ?? files.length, 6)
  end.writeUInt32LE(directory.length, 8)
  end.writeUInt32LE(offset, 12)
  return Buffer.concat([...local, directory, Buffer.from('PK\x05\x06'), end])
}
