// One call of the command line from arguments to exit code. Knows no process: streams, environment and signal are given.

import { abortable, isAbort, isOurError, type OnProgress, RepriseError } from "../core/index.js";
import { Context } from "./context.js";
import { EXIT, exitCodeOf, OutputClosed } from "./exitCodes.js";
import { Given } from "./given/given.js";
import { type GlobalSettings, readGlobals } from "./globalOptions.js";
import { Interruption } from "./interruption.js";
import type { CliIo } from "./io.js";
import { errorDocument, interruptedDocument, Printer } from "./printer.js";
import { type Parsed, parseCommandLine } from "./program.js";
import { throttledEvents } from "./progress/progressEvents.js";
import { ProgressLine } from "./progress/progressLine.js";
import type { Answer } from "./verb.js";

/** Runs `reprise ARGS` and resolves with its exit code (exitCodes.ts). Never rejects for anything that a verb does. */
export async function runCli(args: readonly string[], io: CliIo): Promise<number> {
  let parsed: Parsed;
  try {
    parsed = parseCommandLine(args, { columns: io.stdout.columns ?? 100 });
  } catch (error) {
    const settings = readGlobals(new Given([], { json: wantsJson(args), color: true, cache: true }), io);
    const printer = makePrinter(io, settings);
    return await report(error, printer, settings, undefined).finally(() => printer.close());
  }
  if (parsed.kind === "text") {
    const printer = makePrinter(io, readGlobals(new Given([], {}), io));
    const printing = wantsJson(args) ? printer.document(parsed.document) : printer.data(parsed.text);
    return await settle(printing, EXIT.done).finally(() => printer.close());
  }
  return await runVerb(parsed, io);
}

async function runVerb(parsed: Parsed & { kind: "verb" }, io: CliIo): Promise<number> {
  const { verb, name, given, globals } = parsed;
  const settings = readGlobals(globals, io);
  const printer = makePrinter(io, settings);
  const outputGone = new AbortController();
  printer.onOutputClosed = () => outputGone.abort(new OutputClosed());
  const signal = AbortSignal.any([io.signal, outputGone.signal]);
  const progress = startProgress(io, settings, printer);
  const context = new Context({ io, settings, printer, signal, onProgress: progress.onProgress });
  const onAbort = () => sayInterrupted(signal, printer);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    const answering = answerOf(verb.run(context, given), context);
    const answer = await (io.impatience === undefined ? answering : abortable(answering, io.impatience));
    progress.end();
    return await printAnswer(answer, context, printer);
  } catch (error) {
    progress.end();
    return await report(withHelp(error, name), printer, settings, signal);
  } finally {
    signal.removeEventListener("abort", onAbort);
    printer.close();
  }
}

/** Waits for the verb and closes what it opened; the verb's own error is the one that counts. */
async function answerOf(running: Promise<Answer>, context: Context): Promise<Answer> {
  let answer: Answer;
  try {
    answer = await running;
  } catch (error) {
    await context.close().catch(() => undefined);
    throw error;
  }
  await context.close();
  return answer;
}

async function printAnswer(answer: Answer, context: Context, printer: Printer): Promise<number> {
  const { json, quiet } = context.settings;
  const lines = [...answer.lines, ...(quiet ? [] : (answer.summary ?? []))];
  if (answer.outputTaken) for (const line of lines) printer.note(line);
  else if (json) await printer.document(withWarnings(answer.document, context));
  else await printer.lines(lines);
  await printer.flush();
  if (answer.failed) return EXIT.failed;
  if (answer.exitCode !== undefined && (answer.isVerdict || answer.exitCode !== EXIT.done)) return answer.exitCode;
  return context.warnings.length > 0 ? EXIT.doneWithWarnings : EXIT.done;
}

function withWarnings(document: unknown, { warnings }: Context): unknown {
  if (typeof document !== "object" || document === null || Array.isArray(document)) return document;
  return { ...document, warnings };
}

/** Whoever has typed something wrong is always told where to look. */
function withHelp(error: unknown, verb: string): unknown {
  if (!isOurError(error, "COMMAND_LINE_INVALID") || error.hint !== undefined) return error;
  const { family, code, message, data, retry } = error;
  return new RepriseError(family, code, message, { data, retry, cause: error, hint: `see reprise ${verb} --help` });
}

/** With --json the error is the document, and standard error has it for people. */
async function report(
  error: unknown,
  printer: Printer,
  settings: Pick<GlobalSettings, "json">,
  signal: AbortSignal | undefined,
): Promise<number> {
  const code = signal?.reason instanceof Interruption ? exitCodeOf(signal.reason) : exitCodeOf(error);
  if (code === EXIT.outputClosed) return code;
  if (!isAbort(error)) printer.error(error);
  const document = isAbort(error) ? interruptedDocument(code) : errorDocument(error);
  return settings.json ? await settle(printer.document(document), code) : code;
}

async function settle(writing: Promise<void>, code: number): Promise<number> {
  try {
    await writing;
    return code;
  } catch (error) {
    if (error instanceof OutputClosed) return code === EXIT.done ? EXIT.outputClosed : code;
    throw error;
  }
}

function sayInterrupted(signal: AbortSignal, printer: Printer): void {
  if (!(signal.reason instanceof Interruption)) return;
  const again = signal.reason.signalName === "SIGINT" ? "; press Ctrl-C again to stop at once" : "";
  printer.note(`ending cleanly${again}`, { type: "interrupted", signal: signal.reason.signalName });
}

function makePrinter(io: CliIo, { json, colors, progress }: GlobalSettings): Printer {
  return new Printer(io, { json, colors, eventLines: progress === "json" });
}

function startProgress(io: CliIo, settings: GlobalSettings, printer: Printer): { onProgress: OnProgress; end(): void } {
  const none = { onProgress: () => {}, end: () => {} };
  if (settings.progress === "json") return { ...none, onProgress: throttledEvents((event) => printer.event(event)) };
  const isTerminal = io.stderr.isTTY === true && io.env.TERM !== "dumb";
  if (settings.progress === "none" || settings.quiet || !isTerminal) return none;
  const line = new ProgressLine(io.stderr);
  printer.onBeforeMessage = () => line.erase();
  return { onProgress: line.onProgress, end: () => line.erase() };
}

function wantsJson(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  return args.slice(0, end < 0 ? args.length : end).includes("--json");
}
