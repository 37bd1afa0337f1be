// The actions' own way with words and sizes, for the browser: the index they are exported from is the server's.
export { formatBytes, say, type TextValues } from '../../../actions/text.js'
