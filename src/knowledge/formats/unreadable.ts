/** Owns the one way to say that a document cannot be taken, wherever in it that is noticed. */
export class Unreadable extends Error {
  /**
   * @param message a sentence for whoever brought the document
   * @param line 1-based, where in the file it is
   * @param file missing when whoever catches it knows best which file it was
   */
  constructor(
    message: string,
    readonly line = 1,
    readonly file?: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}
