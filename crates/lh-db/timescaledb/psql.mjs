// psql for the host's scripts, as far as they use it: SQL on standard input or by -c, variables,
// plain or aligned output, and psql's exit statuses (1: by -c, 2: no session, 3: ON_ERROR_STOP).
// It is the local engine's and not PostgreSQL's, and knows no terminal.

import fs from 'node:fs'
import readline from 'node:readline'

import { Client, Refused, Unreachable } from './client.mjs'
import { Statements, words } from './statements.mjs'

/** Options that take a value, by their names, and those that are there or not. */
const VALUED = {
  d: 'dbname', U: 'username', h: 'host', p: 'port', v: 'set', c: 'command', f: 'file', F: 'separator', o: 'output',
  variable: 'set', set: 'set', 'field-separator': 'separator', dbname: 'dbname', username: 'username',
  host: 'host', port: 'port', command: 'command', file: 'file', output: 'output',
}
const FLAGS = {
  X: 'X', q: 'quiet', A: 'unaligned', t: 'tuples', 1: 'single', w: 'w',
  'no-psqlrc': 'X', quiet: 'quiet', 'no-align': 'unaligned', 'tuples-only': 'tuples',
  'single-transaction': 'single', 'no-password': 'w',
}

function usage(what) {
  process.stderr.write(`psql: ${what}; this is the local engine's psql\n`)
  process.exit(1)
}

function options(args) {
  const given = { separator: '|', sources: [], variables: {} }
  const plain = []
  const put = (name, value) => {
    if (value === undefined) usage(`the option ${name} needs a value`)
    if (name === 'command' || name === 'file') given.sources.push([name, value])
    else if (name === 'set') {
      const at = value.indexOf('=')
      if (at < 0) delete given.variables[value]
      else given.variables[value.slice(0, at)] = value.slice(at + 1)
    } else given[name] = value
  }
  while (args.length > 0) {
    const arg = args.shift()
    if (arg.startsWith('--')) {
      const [, name, value] = /^--([^=]+)(?:=([\s\S]*))?$/.exec(arg) ?? []
      if (name in FLAGS) given[FLAGS[name]] = true
      else if (name in VALUED) put(VALUED[name], value ?? args.shift())
      else usage(`the option ${arg} is not known`)
    } else if (arg.startsWith('-') && arg !== '-') {
      for (let i = 1; i < arg.length; i++) {
        if (arg[i] in FLAGS) given[FLAGS[arg[i]]] = true
        else if (arg[i] in VALUED) {
          put(VALUED[arg[i]], arg.slice(i + 1) || args.shift())
          break
        } else usage(`the option -${arg[i]} is not known`)
      }
    } else plain.push(arg)
  }
  given.dbname ??= plain[0] ?? process.env.PGDATABASE ?? given.username ?? 'postgres'
  return given
}

/** Runs texts over one session. */
class Psql {
  #result = { rows: [] }
  /** For each \if: whether what follows counts, and whether a branch did already. */
  #branches = []

  constructor(given) {
    Object.assign(this, given)
    this.statements = new Statements(this.variables)
    this.out = this.output ? fs.openSync(this.output, 'w') : undefined
  }

  /** Results go where -o says; what \echo says does not. */
  #write(data) {
    if (this.out === undefined) process.stdout.write(data)
    else fs.writeSync(this.out, data)
  }

  async connect(database) {
    this.client?.close()
    const make = process.env.LHCTL_MAKE ? `-c lhctl.make=${process.env.LHCTL_MAKE.replace(/([\\ ])/g, '\\$1')}` : ''
    this.dbname = database
    this.client = await Client.connect(database, this.username, make)
  }

  /** Whether the first error ends everything. */
  get stops() {
    return !/^(|0|off|false)$/i.test(this.variables.ON_ERROR_STOP ?? '')
  }

  /** All that it was given: the exit status. */
  async all() {
    let status = 0
    if (this.single) await this.client.run('BEGIN')
    for (const [kind, value] of this.sources.length > 0 ? this.sources : [['file', '-']]) {
      const ended = kind === 'file' ? await this.file(value) : await this.once(value)
      status = ended ?? 0
      if (ended === 3 || (ended === 1 && this.stops)) break
    }
    if (this.single && status === 0) await this.client.run('COMMIT')
    return status
  }

  /** A file, or standard input: an exit status where one was decided. */
  file(name) {
    const input = name === '-' ? process.stdin : fs.createReadStream(name)
    const lines = readline.createInterface({ input, crlfDelay: Infinity })
    return this.text(lines, (number) => (name === '-' ? '' : `psql:${name}:${number}: `))
  }

  /** What -c gives: a command, or SQL that goes to the server in one piece, without variables. */
  async once(text) {
    this.failed = false
    const bare = () => ''
    const ended = text.startsWith('\\') ? await this.text(stdin(text), bare) : await this.#attempt({ sql: text }, bare)
    return ended === 3 || this.failed ? 1 : ended
  }

  /** The lines of a text; `place` names one of them by its number. */
  async text(lines, place) {
    let number = 0
    const source = lines[Symbol.asyncIterator]()
    const next = async () => {
      const { value, done } = await source.next()
      number += done ? 0 : 1
      return done ? undefined : value
    }
    for (let line; (line = await next()) !== undefined; ) {
      for (const one of this.statements.line(line)) {
        const ended = await this.#attempt(one, () => place(number), next)
        if (ended !== undefined) return ended
      }
    }
    const rest = this.statements.rest()
    this.statements.forget()
    return rest ? this.#attempt({ sql: rest }, () => place(number), next) : undefined
  }

  get #counts() {
    return this.#branches.every((branch) => branch.counts)
  }

  async #attempt({ sql, command }, place, next) {
    try {
      if (command) return await this.#command(command, sql, next)
      if (this.#counts) await this.#run(sql, next)
    } catch (error) {
      if (error instanceof Unreachable) throw error
      this.#complain(error, place())
      this.failed = true
      if (this.stops) return 3
    }
  }

  #complain(error, place) {
    const about = error instanceof Refused ? error.about : { S: 'error', M: error.message }
    const lines = [`${place}${about.S}:  ${about.M}`]
    if (about.D) lines.push(`DETAIL:  ${about.D}`)
    if (about.H) lines.push(`HINT:  ${about.H}`)
    if (about.W) lines.push(`CONTEXT:  ${about.W}`)
    process.stderr.write(`${lines.join('\n')}\n`)
  }

  async #run(sql, next, keep) {
    const result = { columns: undefined, rows: [] }
    await this.client.run(
      sql,
      {
        columns: (names) => (result.columns = names),
        row: (values) => result.rows.push(values),
        notice: ({ S, M }) => process.stderr.write(`${S}:  ${M}\n`),
        data: (data) => this.#write(data),
        done: (tag) => {
          if (!keep) this.#print(result, tag)
          this.#result = { ...result }
          result.columns = undefined
          result.rows = []
        },
      },
      () => copied(next),
    )
    return this.#result
  }

  #print({ columns, rows }, tag) {
    let out = []
    if (columns && this.unaligned) {
      const cells = rows.map((values) => values.map((value) => value ?? '').join(this.separator))
      out = this.tuples ? cells : [columns.join(this.separator)].concat(cells)
    } else if (columns) {
      out = aligned(columns, rows, this.tuples)
    }
    if (columns && !this.tuples) out.push(`(${rows.length} row${rows.length === 1 ? '' : 's'})`)
    if (!columns && !this.quiet) out.push(tag)
    if (columns && !this.unaligned) out.push('')
    if (out.length > 0) this.#write(`${out.join('\n')}\n`)
  }

  async #command(command, sql, next) {
    const [, name, rest] = /^\\([a-z!?]+)\s*([\s\S]*)$/i.exec(command) ?? [undefined, command, '']
    const args = words(rest, this.variables)
    if (this.#branch(name, args) || !this.#counts) return undefined
    switch (name) {
      case 'q':
        return 0
      case 'set':
        this.variables[args[0]] = args.slice(1).join('')
        return
      case 'unset':
        delete this.variables[args[0]]
        return
      case 'echo':
        process.stdout.write(`${args.join(' ')}\n`)
        return
      case 'qecho':
        return this.#write(`${args.join(' ')}\n`)
      case 'warn':
        process.stderr.write(`${args.join(' ')}\n`)
        return
      case 'c':
      case 'connect':
        return void (await this.connect(args[0] && args[0] !== '-' ? args[0] : this.dbname))
      case 'i':
        return this.file(args[0])
      case 'g':
        return void (await this.#run(sql, next))
      case 'gset':
        return this.#gset(await this.#run(sql, next, true), args[0] ?? '')
      case 'gexec':
        return this.#gexec((await this.#run(sql, next, true)).rows, next)
      // This server has no password; and a newer pg_dump wraps its text in the last two.
      case 'password':
        await next()
        await next()
        return
      case 'restrict':
      case 'unrestrict':
      case 'encoding':
      case 'timing':
        return
      default:
        throw new Error(`invalid command \\${name}: the local engine's psql does not know it`)
    }
  }

  #branch(name, [condition]) {
    const last = this.#branches.at(-1)
    const holds = () => /^(t|true|on|1|yes|y)$/i.test(condition ?? '')
    if (name === 'if') {
      const counts = holds()
      this.#branches.push({ counts, done: counts })
    } else if (!last || !['elif', 'else', 'endif'].includes(name)) return false
    else if (name === 'endif') this.#branches.pop()
    else {
      last.counts = !last.done && (name === 'else' || holds())
      last.done ||= last.counts
    }
    return true
  }

  #gset({ columns, rows }, prefix) {
    if (rows.length !== 1) throw new Error(`${rows.length === 0 ? 'no' : 'more than one'} row returned for \\gset`)
    columns.forEach((name, i) => {
      if (rows[0][i] === null) delete this.variables[prefix + name]
      else this.variables[prefix + name] = rows[0][i]
    })
  }

  async #gexec(rows, next) {
    for (const sql of rows.flat()) if (sql !== null) await this.#run(sql, next)
  }
}

/** The data of a COPY that follow in the text, up to their end. */
async function copied(next) {
  const lines = []
  for (let line; (line = await next()) !== undefined && line !== '\\.'; ) lines.push(`${line}\n`)
  return lines.join('')
}

function aligned(columns, rows, tuples) {
  const cells = rows.map((values) => values.map((value) => value ?? ''))
  const longest = (i) => cells.reduce((most, values) => Math.max(most, values[i].length), 0)
  const widths = columns.map((name, i) => Math.max(tuples ? 0 : name.length, longest(i)))
  const line = (values, end) => ` ${values.map((value, i) => end(value, widths[i])).join(' | ')}`.trimEnd()
  const center = (value, width) => value.padStart(value.length + Math.floor((width - value.length) / 2)).padEnd(width)
  const placed = (value, width) => (/^-?[\d.]+$/.test(value) ? value.padStart(width) : value.padEnd(width))
  const body = cells.map((values) => line(values, placed))
  return tuples ? body : [line(columns, center), widths.map((width) => '-'.repeat(width + 2)).join('+'), ...body]
}

async function main() {
  if (/^(-V|--version)$/.test(process.argv[2])) {
    process.stdout.write('psql (PostgreSQL) 17.5 (the local engine of lhctl)\n')
    return 0
  }
  const psql = new Psql(options(process.argv.slice(2)))
  await psql.connect(psql.dbname)
  return psql.all().finally(() => psql.client.close())
}

/** A command by -c, and after it what it asks for. */
async function* stdin(command) {
  yield command
  yield* readline.createInterface({ input: process.stdin, crlfDelay: Infinity })
}

try {
  process.exitCode = await main()
} catch (error) {
  process.stderr.write(`psql: error: ${error.message}\n`)
  process.exitCode = error instanceof Unreachable ? 2 : 3
}
