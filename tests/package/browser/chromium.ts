// A headless Chromium, driven by its DevTools protocol.

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { existsSync } from "node:fs";
import process from "node:process";

/** The program; `undefined` where it is not installed. */
export const chromium: string | undefined = ["chromium", "chromium-browser", "google-chrome"]
  .flatMap((name) => (process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, name)))
  .find((path) => existsSync(path));

interface Answer {
  readonly id?: number;
  readonly method?: string;
  readonly sessionId?: string;
  // deno-lint-ignore no-explicit-any
  readonly params?: any;
  // deno-lint-ignore no-explicit-any
  readonly result?: any;
  readonly error?: { readonly message: string };
}

/** A browser. */
export class Browser {
  readonly #child: ChildProcess;
  readonly #profile: string;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  readonly #listeners = new Map<string, (answer: Answer) => void>();
  #sent = 0;

  /** Starts a browser. */
  static async start(program: string): Promise<Browser> {
    const profile = mkdtempSync(join(tmpdir(), "futures-chromium-"));
    const child = spawn(program, [
      ...["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"],
      ...["--disable-extensions", "--disable-background-networking", "--disable-component-update", "--no-pings"],
      ...[`--user-data-dir=${profile}`, "--remote-debugging-port=0", "about:blank"],
    ], { stdio: ["ignore", "ignore", "pipe"] });
    let printed = "";
    const address = await new Promise<string>((resolve, reject) => {
      child.on("error", reject);
      child.on("exit", () => reject(new Error(`Chromium has ended:\n${printed}`)));
      child.stderr!.on("data", (data) => {
        printed += data;
        const found = /DevTools listening on (ws:\S+)/.exec(printed);
        if (found) resolve(found[1]!);
      });
    });
    const socket = new WebSocket(address);
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = reject;
    });
    return new Browser(child, profile, socket);
  }

  constructor(child: ChildProcess, profile: string, socket: WebSocket) {
    this.#child = child;
    this.#profile = profile;
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      const answer: Answer = JSON.parse(data);
      if (answer.id === undefined) return this.#listeners.get(answer.sessionId ?? "")?.(answer);
      this.#waiting.get(answer.id)!(answer);
      this.#waiting.delete(answer.id);
    };
  }

  /** Sends a command, to a page or to the browser itself. */
  // deno-lint-ignore no-explicit-any
  send(method: string, params: object = {}, sessionId?: string): Promise<any> {
    const id = ++this.#sent;
    this.#socket.send(JSON.stringify({ id, method, params, ...(sessionId && { sessionId }) }));
    return new Promise((resolve, reject) =>
      this.#waiting.set(
        id,
        ({ result, error }) => error ? reject(new Error(`${method}: ${error.message}`)) : resolve(result),
      )
    );
  }

  /** Opens a page, and resolves when it is loaded. */
  async open(url: string): Promise<Page> {
    const { targetId } = await this.send("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await this.send("Target.attachToTarget", { targetId, flatten: true });
    const page = new Page(this, sessionId, targetId);
    const loaded = new Promise<void>((resolve) =>
      this.#listeners.set(sessionId, (answer) => {
        if (answer.method === "Page.loadEventFired") resolve();
        page.hear(answer.method!, answer.params);
      })
    );
    for (const domain of ["Page", "Runtime", "Log"]) await this.send(`${domain}.enable`, {}, sessionId);
    await this.send("Page.navigate", { url }, sessionId);
    await loaded;
    return page;
  }

  /** Ends the browser. */
  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once("exit", resolve));
    await this.send("Browser.close");
    await ended;
    this.#socket.close();
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 10 });
  }
}

/** A page in a browser. */
export class Page {
  /** What the page, its workers and the browser wrote to its console. */
  readonly printed: string[] = [];
  readonly #browser: Browser;
  readonly #session: string;
  readonly #target: string;

  constructor(browser: Browser, session: string, target: string) {
    this.#browser = browser;
    this.#session = session;
    this.#target = target;
  }

  // deno-lint-ignore no-explicit-any
  hear(method: string, params: any): void {
    if (method === "Runtime.consoleAPICalled") {
      // deno-lint-ignore no-explicit-any
      this.printed.push(params.args.map((arg: any) => arg.value ?? arg.description).join(" "));
    } else if (method === "Runtime.exceptionThrown") {
      this.printed.push(params.exceptionDetails.exception?.description ?? params.exceptionDetails.text);
    } else if (method === "Log.entryAdded") {
      this.printed.push(params.entry.text);
    }
  }

  /** The value of an expression, awaited: something that JSON can hold. */
  async evaluate(expression: string): Promise<unknown> {
    const { result, exceptionDetails } = await this.#browser.send("Runtime.evaluate", {
      expression,
      awaitPromise: true,
      returnByValue: true,
    }, this.#session);
    if (exceptionDetails) {
      const why = exceptionDetails.exception?.description ?? exceptionDetails.text;
      throw new Error([`${expression}: ${why}`, ...this.printed].join("\n"));
    }
    return result.value;
  }

  /** Closes the page. */
  async close(): Promise<void> {
    await this.#browser.send("Target.closeTarget", { targetId: this.#target });
  }
}
