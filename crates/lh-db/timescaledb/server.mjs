// The server of `lhctl local database`: many clients and databases on one port, before an engine
// that has one session. Statements take turns, transactions keep theirs; a database is opened when
// nobody uses the one that is open. It asks for no password and is for this machine only.
//
//   node server.mjs PACKAGES HOME PORT RECORD [--attached]
//
// RECORD is written when it answers and removed at its end. `--attached`: it ends with its standard
// input, and so with whoever started it.

import fs from 'node:fs'
import net from 'node:net'

import { Engine, Unknown } from './engine.mjs'
import { Session } from './session.mjs'

/** How long a client waits for those that use another database. */
const PATIENCE = 60_000

const [packages, home, port, record, attached] = process.argv.slice(2)
const engine = new Engine(packages, home)

/** Who uses the open database, who waits for another one, and whose turn it is. */
class Hall {
  #inside = new Set()
  #waiting = []
  #moving = false
  #owner
  #queue = []

  /** Waits until `session` may use its database, which `make` may have to make first. */
  async enter(session, make) {
    if (this.#inside.size > 0 && !engine.makes(make)) {
      // Nobody is let wait for what is not there. Inside meanwhile, so that nothing else is opened.
      this.#inside.add(session)
      await this.take(session)
      const isThere = await engine.has(session.database)
      this.#inside.delete(session)
      this.give(session)
      if (!isThere) throw new Unknown(session.database)
    }
    await new Promise((resolve, reject) => {
      const why = `the local engine has one database open at a time, and for ${PATIENCE / 1000} s others used another`
      const late = () => this.#refuse(wish, why)
      const wish = { session, make, resolve, reject, timer: setTimeout(late, PATIENCE) }
      this.#waiting.push(wish)
      void this.#admit()
    })
  }

  /** The end of a session, whatever it was at; `last` is what it leaves to the engine to do. */
  async leave(session, last) {
    this.#waiting = this.#waiting.filter((wish) => wish.session !== session || clearTimeout(wish.timer))
    this.#queue = this.#queue.filter((one) => one.session !== session || one.reject(new Error('the client is gone')))
    if (!this.#inside.has(session)) return
    const own = this.#owner === session
    await this.take(session)
    for (const one of own ? [ROLLBACK, ...last] : last) await engine.raw(one).catch(fatal)
    this.#inside.delete(session)
    this.give(session)
    void this.#admit()
  }

  /** Waits for the session's turn, which it keeps until it gives it on. */
  take(session) {
    if (this.#owner === session) return Promise.resolve()
    if (!this.#owner) {
      this.#owner = session
      return Promise.resolve()
    }
    return new Promise((resolve, reject) => this.#queue.push({ session, resolve, reject }))
  }

  give(session) {
    if (this.#owner !== session) return
    const next = this.#queue.shift()
    this.#owner = next?.session
    next?.resolve()
  }

  async #admit() {
    if (this.#moving) return
    this.#moving = true
    for (let wish; (wish = this.#next()); ) {
      try {
        if (this.#inside.size === 0) {
          await engine.make(wish.make)
          await engine.use(wish.session.database)
          await engine.refresh()
        }
        this.#take(wish)
        this.#inside.add(wish.session)
        wish.resolve()
      } catch (error) {
        if (!(error instanceof Unknown)) fatal(error)
        this.#refuse(wish, error.message, error.code)
      }
    }
    this.#moving = false
  }

  /** Whoever needs nothing but the open database; else, in an empty hall, whoever came first. */
  #next() {
    const fits = ({ session, make }) => session.database === engine.current && !engine.makes(make)
    return this.#waiting.find(fits) ?? (this.#inside.size === 0 ? this.#waiting[0] : undefined)
  }

  #take(wish) {
    clearTimeout(wish.timer)
    this.#waiting = this.#waiting.filter((one) => one !== wish)
  }

  #refuse(wish, why, code = '55006') {
    this.#take(wish)
    wish.reject(Object.assign(new Error(why), { code }))
  }
}

const ROLLBACK = Buffer.from('Q\0\0\0\rROLLBACK\0', 'latin1')
const hall = new Hall()
const sockets = new Set()
const server = net.createServer((socket) => {
  sockets.add(socket)
  socket.setNoDelay(true)
  socket.on('close', () => sockets.delete(socket))
  void new Session(socket, engine, hall, stop, fatal).run()
})

let ending = false
async function stop() {
  if (ending) return
  ending = true
  server.close()
  for (const socket of sockets) socket.destroy()
  await engine.close().catch(() => {})
  fs.rmSync(record, { force: true })
  process.exit(0)
}

/** The engine cannot go on: what is on the disk is opened anew by the next start. */
function fatal(error) {
  console.error(error)
  fs.rmSync(record, { force: true })
  process.exit(1)
}

process.on('SIGINT', stop)
process.on('SIGTERM', stop)
if (attached === '--attached') process.stdin.on('end', stop).on('error', stop).resume()

await engine.start().catch(fatal)
server.on('error', fatal)
server.listen(Number(port), '127.0.0.1', () => {
  const url = `postgresql://postgres@127.0.0.1:${server.address().port}/postgres?sslmode=disable`
  fs.writeFileSync(`${record}.new`, JSON.stringify({ url }))
  fs.renameSync(`${record}.new`, record)
  console.log(`listening on ${url}`)
})
