// PostgreSQL and TimescaleDB in WebAssembly: one cluster in a folder, of which one database is
// open at a time and in one session. What clients see of that is in server.mjs.

import fs from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

import { Reader, message } from './wire.mjs'

/** What an image's server loads at its start, this one loads with each database. */
const LOADED = "LOAD 'timescaledb'"
/** The engine's own search path is another one than PostgreSQL's. */
const SEARCH_PATH = `SET search_path = "$user", public`
/** What `ALTER DATABASE … SET` has set, which this engine does not apply by itself. */
const SETTINGS = `SELECT set_config(split_part(one, '=', 1), substr(one, strpos(one, '=') + 1), false)
  FROM pg_db_role_setting, unnest(setconfig) AS one
  WHERE setrole = 0 AND setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())`
/** One INSERT takes a whole table of TimescaleDB's catalog: its rows refer to one another. */
const DUMP = ['--rows-per-insert=5000']

export class Engine {
  #pg
  #made
  #closed = false

  constructor(packages, home) {
    this.folder = path.join(home, 'data')
    this.made = path.join(home, 'made.json')
    this.dist = path.join(packages, 'node_modules/@electric-sql')
  }

  /** Opens the cluster; a new one gets the extension where TimescaleDB's image puts it. */
  async start() {
    const load = (file) => import(pathToFileURL(path.join(this.dist, file)).href)
    this.PGlite = (await load('pglite/dist/index.js')).PGlite
    const { timescaledb } = await load('pglite/dist/timescaledb/index.js')
    this.pgDump = (await load('pglite-tools/dist/pg_dump.js')).pgDump
    // Read once: a database opens in half of the time then.
    this.parts = {
      extensions: { timescaledb },
      wasmModule: await WebAssembly.compile(fs.readFileSync(path.join(this.dist, 'pglite/dist/pglite.wasm'))),
      fsBundle: new Blob([fs.readFileSync(path.join(this.dist, 'pglite/dist/pglite.data'))]),
    }
    this.#made = fs.existsSync(this.made) ? JSON.parse(fs.readFileSync(this.made, 'utf8')) : undefined
    await this.#open('postgres')
    if (this.#made) return
    for (const name of ['template1', 'postgres']) {
      await this.#open(name)
      await this.#pg.exec('CREATE EXTENSION IF NOT EXISTS timescaledb')
    }
    this.#note([])
  }

  /** Opens the database `name` if another one is open. */
  async use(name) {
    if (this.current === name) return
    if (!(await this.has(name))) throw new Unknown(name)
    await this.#open(name)
  }

  async has(name) {
    const found = await this.#pg.query('SELECT 1 FROM pg_database WHERE datname = $1 AND datallowconn', [name])
    return found.rows.length > 0
  }

  /** Makes the database that a host's container is told to have, once: who renames it, has it renamed. */
  async make(name) {
    if (!this.makes(name)) return
    if (!(await this.has(name))) await this.#pg.exec(`CREATE DATABASE "${name.replaceAll('"', '""')}"`)
    this.#note([...this.#made, name])
  }

  /** Whether `make` would do something. */
  makes(name) {
    return Boolean(name) && !this.#made.includes(name)
  }

  /** A session as a new client finds it. */
  async refresh() {
    for (const sql of ['ROLLBACK', 'DISCARD ALL', SEARCH_PATH, SETTINGS]) await this.#pg.exec(sql)
  }

  /** Sets what a client wants of its session. */
  async set(name, value) {
    await this.#pg.query('SELECT set_config($1, $2, false)', [name, value])
  }

  /** One message of the protocol; all that the server answers. */
  async raw(whole) {
    return Buffer.from(await this.#pg.execProtocolRaw(whole))
  }

  /** `COPY … FROM STDIN` with all of its data, which this engine reads from a device of its own. */
  async copyIn(sql, data) {
    const from = sql.replace(/\bfrom\s+stdin\b/i, "FROM '/dev/blob'")
    const done = await this.#pg.query(from, [], { blob: new Blob([data]) })
    return done.affectedRows ?? 0
  }

  /** The state of the transaction: I, T or E. */
  async status() {
    const answer = await this.raw(message('S'))
    return String.fromCharCode(answer[answer.length - 1])
  }

  /** The open database as SQL, by pg_dump. */
  async dump(args) {
    try {
      const file = await this.pgDump({ pg: whole(this.#pg), args: [...DUMP, ...args] })
      return Buffer.from(await file.arrayBuffer())
    } finally {
      await this.refresh()
    }
  }

  async close() {
    if (this.#closed) return
    this.#closed = true
    await this.#pg?.close()
  }

  async #open(name) {
    await this.#pg?.close()
    this.current = undefined
    this.#pg = await this.PGlite.create({ dataDir: this.folder, database: name, ...this.parts })
    await this.#pg.exec(LOADED)
    this.current = name
  }

  #note(made) {
    this.#made = made
    fs.writeFileSync(`${this.made}.new`, JSON.stringify(made))
    fs.renameSync(`${this.made}.new`, this.made)
  }
}

/** pg_dump sends pieces of 8 KB, of which this makes the messages that the engine wants whole. */
function whole(pg) {
  const reader = new Reader(true)
  return {
    query: (sql) => pg.query(sql),
    exec: (sql) => pg.exec(sql),
    execProtocolRawSync(piece) {
      reader.add(Buffer.from(piece))
      const answers = []
      for (let one; (one = reader.next()); ) {
        reader.untyped = false
        answers.push(Buffer.from(pg.execProtocolRawSync(one.whole)))
      }
      return new Uint8Array(Buffer.concat(answers))
    },
  }
}

/** There is no database of this name. */
export class Unknown extends Error {
  constructor(name) {
    super(`database "${name}" does not exist`)
    this.code = '3D000'
  }
}
