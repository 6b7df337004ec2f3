declare module 'virtual:row-schema' {
  const validate: import('./result_file.js').RowValidator;
  export default validate;
}

declare module 'virtual:site-peers' {
  /** By name; undefined if this build has none. Places are relative to the page. */
  const packages: import('./peers_engines.js').SitePackages | undefined;
  export default packages;
}

declare module 'virtual:site-digits' {
  const digits: import('./mnist.js').SiteDigits;
  export default digits;
}

/** The part of Papa Parse that this page uses: its own types need those of Node, whose timers differ. */
declare module 'papaparse' {
  export interface ParseError {
    type: 'Quotes' | 'Delimiter' | 'FieldMismatch';
    message: string;
    /** Index among the rows of this chunk. */
    row?: number;
  }
  export interface ParseResult<T> {
    data: T[];
    errors: ParseError[];
    meta: { delimiter: string };
  }
  export interface Parser {
    abort(): void;
    pause(): void;
    resume(): void;
  }
  interface Options<T> {
    /** Empty: one of delimitersToGuess. */
    delimiter: string;
    delimitersToGuess: readonly string[];
    /** In characters. */
    chunkSize: number;
    chunk(result: ParseResult<T>, parser: Parser): void;
    complete(): void;
  }
  const papa: { parse<T>(text: string, options: Options<T>): void };
  export default papa;
}
