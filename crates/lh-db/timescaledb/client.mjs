// A session with the local engine for its own programs: SQL in, messages out.

import fs from 'node:fs'
import net from 'node:net'

import { CONTROL } from './session.mjs'
import { Reader, columns, fields, message, row, startup, text } from './wire.mjs'

/** The server ended the session, or there is none. */
export class Unreachable extends Error {}

/** An error that the server reported for a statement. */
export class Refused extends Error {
  constructor(about) {
    super(about.M)
    this.about = about
  }
}

/** The port of the server whose record is named in LHCTL_RECORD. */
export function port() {
  try {
    return Number(new URL(JSON.parse(fs.readFileSync(process.env.LHCTL_RECORD, 'utf8')).url).port)
  } catch {
    throw new Unreachable('no database runs beside the simulated instance: start it with `lhctl local database`')
  }
}

export class Client {
  #reader = new Reader(false)
  #messages

  /** Begins a session with `database`; for orders to the server itself, without one. */
  static async connect(database = CONTROL, user = 'postgres', options = '') {
    const client = new Client()
    const at = port()
    client.socket = net.connect(at, '127.0.0.1')
    client.#messages = client.#read()
    client.socket.write(startup({ user, database, ...(options && { options }) }))
    try {
      await client.#until(() => {})
    } catch (error) {
      throw new Unreachable(`connection to server at "127.0.0.1", port ${at} failed: ${client.#words(error)}`)
    }
    return client
  }

  #words(error) {
    return error instanceof Refused ? `${error.about.S}:  ${error.message}` : error.message
  }

  async *#read() {
    for await (const chunk of this.socket) {
      this.#reader.add(chunk)
      for (let one; (one = this.#reader.next()); ) yield one
    }
  }

  /** Hands messages on until the server is ready for the next statement. */
  async #until(tell) {
    let refused
    for (;;) {
      const { value, done } = await this.#messages.next()
      if (done) throw refused ?? new Unreachable('the server ended the session')
      if (value.type === 'E') refused = new Refused(fields(value.body))
      else if (value.type === 'Z') break
      else await tell(value)
    }
    if (refused) throw refused
  }

  /**
   * Runs `sql`. `tell` takes what comes: `columns`, `row`, `done` with the tag, `notice`, `data` of a
   * COPY to here; `feed` gives the data of a COPY from here.
   */
  async run(sql, tell = {}, feed = async () => '') {
    this.socket.write(message('Q', text(sql)))
    await this.#until(async ({ type, body }) => {
      if (type === 'T') tell.columns?.(columns(body))
      else if (type === 'D') tell.row?.(row(body))
      else if (type === 'C') tell.done?.(body.toString('utf8', 0, body.length - 1))
      else if (type === 'N') tell.notice?.(fields(body))
      else if (type === 'd') tell.data?.(body)
      else if (type === 'G') this.socket.write(Buffer.concat([message('d', await feed()), message('c')]))
    })
  }

  /** Asks the server itself. */
  order(verb, tell) {
    return this.run(`/*lhctl*/ ${verb}`, tell)
  }

  close() {
    this.socket.end(message('X'))
  }
}
