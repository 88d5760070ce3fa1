// One client of the local engine's server: its start, its messages in order, its end. What several
// of them want at the same time is settled in server.mjs.

import { Prepared } from './prepared.mjs'
import {
  CANCEL_REQUEST, GSS_REQUEST, PROTOCOL, Reader, SSL_REQUEST,
  failure, int16, int32, message, parameters, text,
} from './wire.mjs'

/** The database of clients that only speak to the server itself. */
export const CONTROL = 'lhctl:control'
/** The beginning of what is asked of the server itself. */
const ORDER = '/*lhctl*/'
/** What a server tells at the beginning; clients rely on some of it. */
const TOLD = {
  server_version: '17.5', server_encoding: 'UTF8', client_encoding: 'UTF8', DateStyle: 'ISO, MDY',
  TimeZone: 'GMT', integer_datetimes: 'on', standard_conforming_strings: 'on', is_superuser: 'on',
}
/** What a startup packet holds that is no setting. */
const NO_SETTINGS = ['user', 'database', 'options', 'replication', 'client_encoding', 'client_min_messages']
const COPY_IN = /^\s*copy\b[\s\S]*\bfrom\s+stdin\b/i
const BEGINS = /\b(begin|start\s+transaction)\b/i
const DEALLOCATE = /^\s*deallocate\s+(prepare\s+)?all\s*;?\s*$/i

export class Session {
  /** The text of a COPY whose data are coming in, and the data. */
  #copy
  #reader = new Reader(true)
  #prepared = new Prepared()

  /** `fatal` is told of what the engine does not survive. */
  constructor(socket, engine, hall, stop, fatal) {
    Object.assign(this, { socket, engine, hall, stop, fatal })
  }

  /** Serves the client until it leaves. */
  async run() {
    try {
      for await (const chunk of this.socket.iterator({ destroyOnReturn: false })) {
        this.#reader.add(chunk)
        for (let one; (one = this.#reader.next()); ) {
          if (one.type === 'X') return
          await (this.#reader.untyped ? this.#begin(one.body) : this.#handle(one))
        }
      }
    } catch (error) {
      this.#say(failure('FATAL', error.code ?? 'XX000', error.message))
      if (error instanceof WebAssembly.RuntimeError) this.fatal(error)
    } finally {
      await this.hall.leave(this, this.#prepared.closing())
      this.socket.end()
    }
  }

  #say(...parts) {
    if (this.socket.writable) this.socket.write(Buffer.concat(parts))
  }

  async #begin(body) {
    const kind = body.readInt32BE(0)
    if (kind === SSL_REQUEST || kind === GSS_REQUEST) return this.#say(Buffer.from('N'))
    if (kind === CANCEL_REQUEST) return this.socket.destroy()
    if (kind !== PROTOCOL) throw Object.assign(new Error('only protocol 3.0 is spoken here'), { code: '0A000' })
    this.#reader.untyped = false
    const given = parameters(body.subarray(4))
    const options = settings(given.options ?? '')
    this.database = given.database || given.user || 'postgres'
    if (this.database !== CONTROL) {
      await this.hall.enter(this, options['lhctl.make'])
      await this.hall.take(this)
      for (const [name, value] of [...Object.entries(given), ...Object.entries(options)]) {
        if (!NO_SETTINGS.includes(name) && !name.startsWith('lhctl.')) await this.engine.set(name, value)
      }
      this.hall.give(this)
    }
    const told = Object.entries({ ...TOLD, ...(given.TimeZone && { TimeZone: given.TimeZone }) })
    this.#say(
      message('R', int32(0)),
      ...told.map(([name, value]) => message('S', text(name), text(value))),
      message('K', int32(process.pid), int32(0)),
      message('Z', 'I'),
    )
  }

  async #handle(one) {
    if (this.#copy) return this.#copyIn(one)
    const sql = one.type === 'Q' ? one.body.toString('utf8', 0, one.body.length - 1) : ''
    if (sql.startsWith(ORDER)) return this.#order(sql.slice(ORDER.length).trim())
    if (this.database === CONTROL) throw new Error('this session is for orders to the server only')
    await this.hall.take(this)
    if (COPY_IN.test(sql)) {
      this.#copy = { sql, data: [] }
      return this.#say(message('G', Buffer.from([0]), int16(0)))
    }
    const answer = await this.#answer(one, sql)
    const ended = answer.length >= 6 && answer.subarray(-6, -1).equals(Buffer.from([0x5a, 0, 0, 0, 5]))
    let state = ended ? String.fromCharCode(answer.at(-1)) : this.state
    if (sql && state === 'E' && this.state !== 'T' && this.state !== 'E' && !BEGINS.test(sql)) {
      // Statements that came together are a transaction of their own, which an error ends.
      await this.engine.raw(message('Q', text('ROLLBACK')))
      state = 'I'
      answer.write(state, answer.length - 1, 'latin1')
    }
    this.#say(answer)
    this.#stand(ended, state)
  }

  /** What the server says to a message, whose statements are this session's own. */
  async #answer(one, sql) {
    if (DEALLOCATE.test(sql)) {
      for (const close of this.#prepared.closing()) await this.engine.raw(close)
      return Buffer.concat([message('C', text('DEALLOCATE ALL')), message('Z', await this.engine.status())])
    }
    const { before, whole } = this.#prepared.own(one)
    if (before) await this.engine.raw(before)
    return this.engine.raw(whole)
  }

  /** A session keeps its turn within a transaction, and until an answer is whole. */
  #stand(ended, state) {
    this.state = state
    if (ended && state === 'I') this.hall.give(this)
  }

  async #copyIn({ type, body }) {
    const copy = this.#copy
    if (type === 'd') return void copy.data.push(body)
    if (type !== 'c' && type !== 'f') return
    this.#copy = undefined
    try {
      if (type === 'f') throw new Error(`COPY from stdin failed: ${body.toString('utf8', 0, body.length - 1)}`)
      const rows = await this.engine.copyIn(copy.sql, Buffer.concat(copy.data))
      this.#say(message('C', text(`COPY ${rows}`)))
    } catch (error) {
      this.#say(failure('ERROR', error.code ?? '57014', error.message))
    }
    const state = await this.engine.status()
    this.#say(message('Z', state))
    this.#stand(true, state)
  }

  async #order(order) {
    const [verb] = order.split(' ', 1)
    const done = (tag) => this.#say(message('C', text(tag)), message('Z', 'I'))
    if (verb === 'ready') return done('READY')
    if (verb === 'stop') {
      done('STOP')
      return this.stop()
    }
    if (verb !== 'dump') throw new Error(`no such order: ${verb}`)
    await this.hall.take(this)
    try {
      const dump = await this.engine.dump(JSON.parse(order.slice(verb.length)))
      this.#say(message('H', Buffer.from([0]), int16(0)), message('d', dump), message('c'))
      done('DUMP')
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError) throw error
      this.#say(failure('ERROR', 'XX000', error.message ?? String(error)), message('Z', 'I'))
    } finally {
      this.hall.give(this)
    }
  }
}

/** `-c name=value` as often as it is there; a backslash keeps a space within a value. */
function settings(options) {
  const words = options.match(/(?:\\.|\S)+/g) ?? []
  const pairs = words.join(' ').matchAll(/(?:-c ?|--)([\w.]+)=((?:\\.|\S)*)/g)
  return Object.fromEntries([...pairs].map(([, name, value]) => [name, value.replace(/\\(.)/g, '$1')]))
}
