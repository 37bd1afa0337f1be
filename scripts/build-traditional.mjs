// Says in Traditional characters whatever Discord shows of the commands, so that no server loads the tables for it.
import { writeFileSync } from 'node:fs'
import { Converter } from 'opencc-js/cn2t'
import { loadRegistry } from '../dist/actions/index.js'
import { commandsOf } from '../dist/bot/discord/commands.js'

/** @param {string} file what is to be made: Simplified → Traditional, where these differ */
export async function buildTraditional(file) {
  const table = {}
  const convert = Converter({ from: 'cn', to: 'tw' })
  // Asked for each text that there is, it learns them all.
  commandsOf(await loadRegistry(), (simplified) => {
    const said = convert(simplified)
    if (said !== simplified) table[simplified] = said
    return said
  })
  writeFileSync(file, JSON.stringify(table))
}
