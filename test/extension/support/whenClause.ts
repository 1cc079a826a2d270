// Whether a `when` of package.json holds: as much of the editor's language as ours uses. What it does not know is an error.

type Value = string | number | boolean | readonly string[] | undefined;
export type WhenContext = Readonly<Record<string, Value>>;

const TOKEN = /\s*(\(|\)|&&|\|\||==|!=|=~|!~|>|\bin\b|!|\/(?:[^/\\]|\\.)*\/[a-z]*|[A-Za-z0-9_.:-]+)/y;

export function holds(when: string | undefined, context: WhenContext): boolean {
  if (when === undefined) return true;
  const parser = new Parser(tokensOf(when), context);
  return parser.whole();
}

function tokensOf(text: string): string[] {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.trimEnd().length) {
    const at = TOKEN.lastIndex;
    const token = TOKEN.exec(text)?.[1];
    if (token === undefined) throw new Error(`not understood from ${at} on: ${text}`);
    tokens.push(token);
  }
  return tokens;
}

class Parser {
  readonly #tokens: string[];
  readonly #context: WhenContext;

  constructor(tokens: string[], context: WhenContext) {
    this.#tokens = tokens;
    this.#context = context;
  }

  whole(): boolean {
    const result = this.#or();
    if (this.#tokens.length > 0) throw new Error(`left over: ${this.#tokens.join(" ")}`);
    return result;
  }

  #or(): boolean {
    let result = this.#and();
    while (this.#take("||")) result = this.#and() || result;
    return result;
  }

  #and(): boolean {
    let result = this.#term();
    while (this.#take("&&")) result = this.#term() && result;
    return result;
  }

  #term(): boolean {
    if (this.#take("!")) return !this.#term();
    if (this.#take("(")) {
      const result = this.#or();
      if (!this.#take(")")) throw new Error("a parenthesis is open");
      return result;
    }
    const name = this.#tokens.shift() ?? "";
    const value = name === "true" ? true : name === "false" ? false : this.#context[name];
    const operator = this.#tokens[0] ?? "";
    if (!["==", "!=", "=~", "!~", ">", "in"].includes(operator)) return Boolean(value);
    this.#tokens.shift();
    return compare(value, operator, this.#tokens.shift() ?? "", this.#context);
  }

  #take(token: string): boolean {
    if (this.#tokens[0] !== token) return false;
    this.#tokens.shift();
    return true;
  }
}

function compare(value: Value, operator: string, operand: string, context: WhenContext): boolean {
  const matches = () => {
    const [, source = "", flags = ""] = /^\/(.*)\/([a-z]*)$/s.exec(operand) ?? [];
    return new RegExp(source, flags).test(String(value ?? ""));
  };
  switch (operator) {
    case "==":
      return String(value) === operand;
    case "!=":
      return String(value) !== operand;
    case "=~":
      return matches();
    case "!~":
      return !matches();
    case ">":
      return Number(value) > Number(operand);
    default: {
      const list = context[operand];
      return Array.isArray(list) && list.includes(value);
    }
  }
}
