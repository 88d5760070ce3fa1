// The names of a client's prepared statements. The engine has one session for all clients: each has
// names of its own there, also for the statement without a name, which others would replace.

import { message, text } from './wire.mjs'

let sessions = 0

export class Prepared {
  #prefix = `${++sessions}:`
  #names = new Set()

  /** The message with the client's own names, and what must go to the server before it, unanswered. */
  own({ type, body, whole }) {
    if (type === 'P') return this.#parse(body)
    if (type === 'B') {
      const statement = body.indexOf(0) + 1
      return { whole: this.#renamed(type, body, statement) }
    }
    // Describe and Close name a statement (S) or a portal (P).
    const names = (type === 'D' || type === 'C') && body[0] === 0x53
    return { whole: names ? this.#renamed(type, body, 1) : whole }
  }

  /** The statement without a name is replaced by the next one; one with a name is not. */
  #parse(body) {
    const name = this.#prefix + body.toString('utf8', 0, body.indexOf(0))
    const before = name === this.#prefix && this.#names.has(name) ? close(name) : undefined
    this.#names.add(name)
    return { before, whole: this.#renamed('P', body, 0) }
  }

  #renamed(type, body, at) {
    return message(type, body.subarray(0, at), this.#prefix, body.subarray(at))
  }

  /** Messages that give up all of them. */
  closing() {
    const all = [...this.#names].map(close)
    this.#names.clear()
    return all
  }
}

const close = (name) => message('C', 'S', text(name))
