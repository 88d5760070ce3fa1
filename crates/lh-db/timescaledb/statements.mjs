// What psql does with a text before a server sees it: variables, the ends of statements, lines that
// are for psql itself. As in https://www.postgresql.org/docs/17/app-psql.html, where it matters here.

const QUOTE = { "'": (value) => `'${value.replaceAll("'", "''")}'`, '"': (value) => `"${value.replaceAll('"', '""')}"` }

/** Takes a text line by line, and gives whole statements and commands. */
export class Statements {
  #text = ''
  /** What the place between two lines is in: '' or what ends it. */
  #within = ''
  #depth = 0

  constructor(variables) {
    this.variables = variables
  }

  /** What was begun and has no end yet. */
  rest() {
    return this.#text.trim()
  }

  forget() {
    this.#text = this.#within = ''
    this.#depth = 0
  }

  /** The statements and commands that end on this line. */
  *line(line) {
    let at = 0
    while (at < line.length) {
      const found = this.#within ? this.#inside(line, at) : this.#outside(line, at)
      this.#text += found.text
      at = found.next
      if (!found.end) continue
      const sql = this.#text.trim()
      this.#text = ''
      if (found.command === undefined) {
        if (sql.replace(/;$/, '').trim()) yield { sql }
      } else {
        // What stands before \gset and \gexec is theirs; before others it stays.
        if (/^\\g/.test(found.command)) yield { command: found.command, sql }
        else {
          this.#text = sql
          yield { command: found.command, sql: '' }
        }
      }
    }
    this.#text += '\n'
  }

  #inside(line, at) {
    const end = this.#within
    if (end === '*/') return this.#comment(line, at)
    const found = line.indexOf(end[0] === 'e' ? "'" : end, at)
    if (end[0] === 'e') {
      for (let i = at; i < line.length; i++) {
        if (line[i] === '\\') i++
        else if (line[i] === "'") return this.#close(line, at, i + 1)
      }
      return { text: line.slice(at), next: line.length }
    }
    return found < 0 ? { text: line.slice(at), next: line.length } : this.#close(line, at, found + end.length)
  }

  #close(line, at, next) {
    this.#within = ''
    return { text: line.slice(at, next), next }
  }

  /** Comments nest. */
  #comment(line, at) {
    const mark = /\/\*|\*\//g
    mark.lastIndex = at
    const found = mark.exec(line)
    if (!found) return { text: line.slice(at), next: line.length }
    this.#depth += found[0] === '/*' ? 1 : -1
    if (this.#depth === 0) this.#within = ''
    return { text: line.slice(at, mark.lastIndex), next: mark.lastIndex }
  }

  #outside(line, at) {
    const rest = line.slice(at)
    const before = line[at - 1] ?? ''
    if (rest.startsWith('--')) return { text: '', next: line.length }
    if (rest.startsWith('/*')) {
      this.#within = '*/'
      this.#depth = 1
      return { text: '/*', next: at + 2 }
    }
    const dollar = /^\$(?:[A-Za-z_]\w*)?\$/.exec(rest)
    if (dollar && !/\w/.test(before)) {
      this.#within = dollar[0]
      return { text: dollar[0], next: at + dollar[0].length }
    }
    const letter = rest[0]
    if (letter === "'" || letter === '"') {
      const escapes = letter === "'" && /[eE]/.test(before) && !/\w/.test(line[at - 2] ?? '')
      this.#within = escapes ? 'e' : letter
      return { text: letter, next: at + 1 }
    }
    if (letter === ';') return { text: ';', next: at + 1, end: true }
    if (letter === '\\') return { text: '', next: line.length, end: true, command: this.#command(rest) }
    if (rest.startsWith('::')) return { text: '::', next: at + 2 }
    const variable = /^:(?:'(\w+)'|"(\w+)"|\{\?(\w+)\}|(\w+))/.exec(rest)
    if (variable) return { text: this.#value(variable), next: at + variable[0].length }
    return { text: letter, next: at + 1 }
  }

  #value([whole, literal, name, asked, plain]) {
    if (asked) return asked in this.variables ? 'TRUE' : 'FALSE'
    const value = this.variables[literal ?? name ?? plain]
    if (value === undefined) return whole
    return literal ? QUOTE["'"](value) : name ? QUOTE['"'](value) : value
  }

  #command(rest) {
    return rest.trim()
  }
}

/** The words of a command, with quotes and variables resolved. */
export function words(command, variables) {
  const found = command.match(/'(?:[^']|'')*'|"[^"]*"|\S+/g) ?? []
  return found.map((word) => {
    if (word.startsWith("'")) return word.slice(1, -1).replaceAll("''", "'")
    return word.replace(/:\{\?(\w+)\}|:'(\w+)'|:"(\w+)"|:(\w+)/g, (whole, asked, literal, name, plain) => {
      if (asked) return asked in variables ? 'true' : 'false'
      return variables[literal ?? name ?? plain] ?? whole
    })
  })
}
