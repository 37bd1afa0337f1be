/** Owns the writing of Markdown from what other formats held: whatever of it could be taken for markup is escaped. */
import type { RootContent } from 'mdast'
import { gfmTableToMarkdown } from 'mdast-util-gfm-table'
import { toMarkdown } from 'mdast-util-to-markdown'

/** @returns '' when there is nothing */
export const writeMarkdown = (children: RootContent[]): string =>
  toMarkdown(
    { type: 'root', children },
    {
      bullet: '-',
      // `<https://…>` is a link too, but it reads like a tag.
      resourceLink: true,
      // Aligned pipes would repeat the width of the widest cell in every row.
      extensions: [gfmTableToMarkdown({ tablePipeAlign: false })],
    },
  )
