// The actions' own way with words and sizes, for the browser: the index they are exported from is the server's.
// biome-ignore lint/style/noRestrictedImports: like errors.ts it is text alone, and the page shows sizes as commands do
export { formatBytes, say, type TextValues } from '../../../actions/text.js'
