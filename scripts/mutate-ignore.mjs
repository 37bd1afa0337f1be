// What `npm run mutate` leaves alone: words for people. Changing a sentence is no fault of the guard.
import { declareValuePlugin, PluginKind } from '@stryker-mutator/api/plugin'

const LANGUAGES = new Set(['en', 'zh'])

/** @returns whether it is the text of `{ en: '…', zh: '…' }` */
const isWords = (path) =>
  (path.isStringLiteral() || path.isTemplateLiteral()) &&
  path.parentPath.isObjectProperty() &&
  path.key === 'value' &&
  LANGUAGES.has(path.parent.key.name)

export const strykerPlugins = [
  declareValuePlugin(PluginKind.Ignore, 'words', {
    shouldIgnore: (path) => (isWords(path) ? 'words for people' : undefined),
  }),
]
