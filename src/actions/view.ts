// What an action shows, without knowing where: each surface draws these blocks in its own way and within its limits.

/** Plain text; a surface escapes whatever its own markup would misread. */
export interface TextBlock {
  readonly kind: 'text'
  readonly text: string
}

/** Markdown from the knowledge base; surfaces draw it without raw HTML and without mentions. */
export interface ProseBlock {
  readonly kind: 'prose'
  readonly markdown: string
}

export interface Fact {
  readonly label: string
  readonly value: string
  /** What the value is the id of; a surface that knows its name shows that. */
  readonly refers?: 'role' | 'channel'
}

export interface FactsBlock {
  readonly kind: 'facts'
  readonly facts: readonly Fact[]
}

/** `rows` have as many cells as there are columns. */
export interface TableBlock {
  readonly kind: 'table'
  readonly columns: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

export interface CodeBlock {
  readonly kind: 'code'
  readonly code: string
  readonly language?: string
}

/** `ratio` from 0 to 1; absent when the end is not known. */
export interface ProgressBlock {
  readonly kind: 'progress'
  readonly label: string
  readonly ratio?: number
}

export interface LinkBlock {
  readonly kind: 'link'
  readonly label: string
  readonly url: string
}

/**
 * A picture that ships with the product, or one that is drawn for the occasion from what other blocks say already. Where no
 * picture can be shown, `alt` and the other blocks say the same.
 */
export interface PictureBlock {
  readonly kind: 'picture'
  readonly caption: string
  readonly alt: string
  readonly drawing: { readonly diagram: string; readonly lang: 'zh' | 'en' } | { readonly svg: string }
}

export type Block =
  | TextBlock
  | ProseBlock
  | FactsBlock
  | TableBlock
  | CodeBlock
  | ProgressBlock
  | LinkBlock
  | PictureBlock

/** A next step: a button that makes another call through the same gate, with the clicker's own rights. */
export interface Choice {
  readonly label: string
  readonly action: string
  readonly input: Readonly<Record<string, unknown>>
  readonly style: 'primary' | 'secondary' | 'danger'
  /**
   * What a form for it begins with, to be gone on from; may be cut where there is little room. Without a form the step cannot
   * be taken, and a surface that has none leaves it out.
   */
  readonly draft?: Readonly<Record<string, string>>
}

export interface View {
  readonly tone: 'info' | 'good' | 'warn' | 'bad'
  readonly heading?: string
  /** What was asked, for where those who read along would not see it. */
  readonly about?: string
  readonly blocks: readonly Block[]
  readonly choices?: readonly Choice[]
}
