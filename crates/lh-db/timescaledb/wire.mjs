// The messages of PostgreSQL's protocol 3.0, as far as server and client of the local engine need
// them: https://www.postgresql.org/docs/17/protocol-message-formats.html. It speaks to nobody.

export const PROTOCOL = 196608
export const SSL_REQUEST = 80877103
export const GSS_REQUEST = 80877104
export const CANCEL_REQUEST = 80877102

const NOTHING = Buffer.alloc(0)

/** A message with its type and length. */
export function message(type, ...parts) {
  const body = Buffer.concat(parts.map(bytes))
  const head = Buffer.alloc(5)
  head.write(type, 0, 'latin1')
  head.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}

const bytes = (part) => (typeof part === 'string' ? Buffer.from(part) : part)

/** A string with its end. */
export const text = (value) => Buffer.from(`${value}\0`)

export function int16(value) {
  const out = Buffer.alloc(2)
  out.writeInt16BE(value)
  return out
}

export function int32(value) {
  const out = Buffer.alloc(4)
  out.writeInt32BE(value)
  return out
}

/** The first packet of a session; it has no type. */
export function startup(parameters) {
  const pairs = Object.entries(parameters).flatMap(([name, value]) => [text(name), text(value)])
  const body = Buffer.concat([int32(PROTOCOL), ...pairs, Buffer.from([0])])
  return Buffer.concat([int32(body.length + 4), body])
}

/** An error as a server reports it. */
export function failure(severity, code, what, hint) {
  const fields = { S: severity, V: severity, C: code, M: what, H: hint }
  const parts = Object.entries(fields).filter(([, value]) => value)
  return message('E', ...parts.map(([name, value]) => text(name + value)), Buffer.from([0]))
}

/** The fields of an error or a notice, by their letters. */
export function fields(body) {
  const parts = body.toString('utf8').split('\0').filter((part) => part !== '')
  return Object.fromEntries(parts.map((part) => [part[0], part.slice(1)]))
}

/** The names of the columns that a RowDescription announces. */
export function columns(body) {
  const names = []
  let at = 2
  for (let n = body.readInt16BE(0); n > 0; n--) {
    const end = body.indexOf(0, at)
    names.push(body.toString('utf8', at, end))
    at = end + 19
  }
  return names
}

/** The values of a row as text; null where there is none. */
export function row(body) {
  const values = []
  let at = 2
  for (let n = body.readInt16BE(0); n > 0; n--) {
    const length = body.readInt32BE(at)
    at += 4
    values.push(length < 0 ? null : body.toString('utf8', at, at + length))
    at += Math.max(length, 0)
  }
  return values
}

/** The pairs of a startup packet. */
export function parameters(body) {
  const words = body.toString('utf8').split('\0')
  const pairs = []
  for (let i = 0; i + 1 < words.length && words[i] !== ''; i += 2) pairs.push([words[i], words[i + 1]])
  return Object.fromEntries(pairs)
}

/** Takes what a socket brings, and gives whole messages. */
export class Reader {
  #held = NOTHING

  /** `untyped`: the next message is a startup packet. */
  constructor(untyped) {
    this.untyped = untyped
  }

  add(chunk) {
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk])
  }

  /** The next message, or nothing while it is not whole: its type, its body, and all of it. */
  next() {
    const start = this.untyped ? 0 : 1
    if (this.#held.length < start + 4) return undefined
    const length = start + this.#held.readInt32BE(start)
    if (this.#held.length < length) return undefined
    const whole = this.#held.subarray(0, length)
    this.#held = this.#held.subarray(length)
    return { type: start ? String.fromCharCode(whole[0]) : '', body: whole.subarray(start + 4), whole }
  }
}
