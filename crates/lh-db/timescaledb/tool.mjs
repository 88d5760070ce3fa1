// Small programs over a session with the local engine:
//
//   node tool.mjs pg_dump [OPTION…] [DATABASE]   the database as SQL, on standard output
//   node tool.mjs pg_isready                     status 0 if the engine answers, else 2
//   node tool.mjs stop                           ends the engine

import { Client, Unreachable } from './client.mjs'

/** Options of pg_dump that say where the server is, and so are not for the engine. */
const PLACE = { '-U': 1, '-h': 1, '-p': 1, '-w': 0, '--no-password': 0 }

async function dump(args) {
  let database
  const passed = []
  while (args.length > 0) {
    const arg = args.shift()
    const [name, value] = arg.split(/=(.*)/s)
    if (arg in PLACE) args.splice(0, PLACE[arg])
    else if (/^--(username|host|port)$/.test(name)) value ?? args.shift()
    else if (arg === '-d' || name === '--dbname') database = value ?? args.shift()
    else if (arg.startsWith('-')) passed.push(arg)
    else database = arg
  }
  const client = await Client.connect(database ?? 'postgres')
  const write = (data) => process.stdout.write(data)
  await client.order(`dump ${JSON.stringify(passed)}`, { data: write }).finally(() => client.close())
}

async function order(verb) {
  const client = await Client.connect()
  const done = client.order(verb).finally(() => client.close())
  await done.catch((error) => {
    if (verb !== 'stop') throw error
  })
}

const [tool, ...args] = process.argv.slice(2)
try {
  if (tool === 'pg_dump') await dump(args)
  else if (tool === 'pg_isready') await order('ready')
  else if (tool === 'stop') await order('stop')
  else throw new Error('no such tool of the local engine')
} catch (error) {
  process.stderr.write(`${tool}: error: ${error.message}\n`)
  process.exitCode = tool === 'pg_isready' || error instanceof Unreachable ? 2 : 1
}
