// The only file that knows commander: turns our declarations of verbs into its commands, and its outcome into data.
// Nothing is run from here.

import { Argument, Command, CommanderError, Option } from "commander";
import { Given, optionName, usageError } from "./given/given.js";
import { GLOBAL_OPTIONS } from "./globalOptions.js";
import type { OptionSpec } from "./lineSpec.js";
import { isFamily, type Verb, type VerbFamily } from "./verb.js";
import { VERB_LIST } from "./verbList.js";
import { VERSION } from "./version.js";

export type Parsed =
  /** `name`: of the verb with the word before it, as in `key add`. */
  | { kind: "verb"; verb: Verb; name: string; given: Given; globals: Given }
  /** Help or version that was asked for: for people, and for --json. */
  | { kind: "text"; text: string; document: HelpDocument | VersionDocument };

export interface VersionDocument {
  name: "reprise";
  version: string;
}

export interface HelpDocument {
  command: string;
  description: string;
  operands: { name: string; description: string; required: boolean; many: boolean }[];
  /** Own options first; those of every verb are in the help of `reprise` itself. */
  options: { flags: string; description: string; choices: string[] | null; required: boolean }[];
  verbs: { name: string; summary: string }[];
  text: string;
}

export interface ParseContext {
  /** Columns of the terminal, for the help. */
  columns: number;
}

/** COMMAND_LINE_INVALID for anything that does not fit; its message or hint says what would. */
export function parseCommandLine(args: readonly string[], context: ParseContext): Parsed {
  let text = "";
  let helped: Command | undefined;
  let parsed: Parsed | undefined;
  const program = makeProgram((verb, name, given, globals) => {
    parsed = { kind: "verb", verb, name, given, globals };
  });
  eachCommand(program, (command) => {
    command.exitOverride();
    command.configureOutput({
      writeOut: (part) => {
        text += part;
        helped = command;
      },
      writeErr: (part) => {
        text += part;
      },
      outputError: () => {},
      getOutHelpWidth: () => Math.min(Math.max(context.columns, 40), 110),
      getErrHelpWidth: () => Math.min(Math.max(context.columns, 40), 110),
    });
  });
  try {
    program.parse([...args], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    const asked = ["commander.helpDisplayed", "commander.version"].includes(error.code);
    // `reprise help VERB` ends with the code of a missing verb, but with exit code 0
    if (asked || (error.code === "commander.help" && error.exitCode === 0))
      return { kind: "text", text, document: documentOf(text, helped ?? program, error.code) };
    throw usageErrorOf(error, args);
  }
  if (parsed === undefined) throw usageError("no verb was given", "reprise --help lists them");
  return parsed;
}

function documentOf(text: string, command: Command, code: string): HelpDocument | VersionDocument {
  if (code === "commander.version") return { name: "reprise", version: VERSION };
  const { registeredArguments, options } = command;
  return {
    command: wordsOf(command).join(" "),
    description: command.description(),
    operands: registeredArguments.map((operand) => {
      return {
        name: operand.name(),
        description: operand.description,
        required: operand.required,
        many: operand.variadic,
      };
    }),
    options: options
      .filter(({ hidden }) => !hidden)
      .map(({ flags, description, argChoices = null, mandatory }) => {
        return { flags, description, choices: argChoices, required: mandatory };
      }),
    verbs: command
      .createHelp()
      .visibleCommands(command)
      .map((verb) => ({ name: verb.name(), summary: verb.summary() })),
    text,
  };
}

/** `reprise`, `key`, `add`. */
function wordsOf(command: Command): string[] {
  return [...(command.parent === null ? [] : wordsOf(command.parent)), command.name()];
}

/** Without commander's own prefix; its suggestion ("Did you mean …?") becomes the hint. */
function usageErrorOf(error: CommanderError, args: readonly string[]): Error {
  const verb = args.find((argument) => VERB_LIST.some(({ entry }) => entry.name === argument));
  const unknown = unknownInFamily(error, verb, args);
  if (unknown !== undefined) return unknown;
  const help =
    verb === undefined ? "reprise --help lists the verbs" : `see reprise ${withFamilyVerb(verb, args)} --help`;
  if (error.code === "commander.help") {
    return usageError(verb === undefined ? "no verb was given" : `${verb}: nothing was asked for`, help);
  }
  const [message = "", ...rest] = error.message.replace(/^error: /, "").split("\n");
  const suggestion = rest.join(" ").replace(/^\((.*)\)$/, "$1");
  return usageError(message, suggestion === "" ? help : suggestion);
}

/** `evidence verify` for what was asked of one of a family's verbs; else the verb itself. */
function withFamilyVerb(name: string, args: readonly string[]): string {
  const family = VERB_LIST.map(({ entry }) => entry).find((entry) => entry.name === name);
  if (family === undefined || !isFamily(family)) return name;
  const word = args.slice(args.indexOf(name) + 1).find((argument) => !argument.startsWith("-"));
  const asked = family.verbs.find((verb) => verb.name === word);
  return asked === undefined ? name : `${name} ${asked.name}`;
}

/** A word that no verb of the family is: commander takes it for an operand, or names no others. */
function unknownInFamily(error: CommanderError, name: string | undefined, args: readonly string[]): Error | undefined {
  const family = VERB_LIST.map(({ entry }) => entry).find((entry) => entry.name === name);
  if (family === undefined || !isFamily(family)) return undefined;
  if (error.code !== "commander.excessArguments" && error.code !== "commander.unknownCommand") return undefined;
  const word = args.slice(args.indexOf(family.name) + 1).find((argument) => !argument.startsWith("-")) ?? "";
  const names = family.verbs.map((verb) => verb.name);
  if (names.includes(word)) return undefined;
  const nearest =
    /Did you mean (\w+)/.exec(error.message)?.[1] ??
    names.find((known) => word !== "" && (known.startsWith(word) || word.startsWith(known)));
  const guess = nearest === undefined ? "" : `did you mean ${family.name} ${nearest}? `;
  return usageError(`${family.name}: there is no "${word}"`, `${guess}its verbs are ${names.join(", ")}`);
}

type OnVerb = (verb: Verb, name: string, given: Given, globals: Given) => void;

function makeProgram(onVerb: OnVerb): Command {
  const program = new Command("reprise");
  program
    .description("Back up the disks of machines, keep the copies small and safe, and get them back.")
    .usage("<verb> [options]")
    .version(VERSION, "-V, --version", "print the version")
    .helpOption("-h, --help", "print help; also: reprise help VERB")
    .helpCommand("help [verb]", "print help")
    .optionsGroup("Options of every verb:")
    .addHelpText(
      "after",
      "\nExit codes: 0 done, 1 failed, 2 could not run, 3 done with warnings, 64 wrong usage,\n130 interrupted.",
    );
  program.configureHelp({ showGlobalOptions: true });
  for (const spec of GLOBAL_OPTIONS) program.addOption(toOption(spec));
  for (const { group, entry } of VERB_LIST) {
    const command = isFamily(entry) ? toFamily(entry, onVerb) : toCommand(entry, onVerb);
    program.addCommand(command.helpGroup(group), { hidden: !isFamily(entry) && entry.hidden === true });
  }
  eachCommand(program, (command) => {
    command.configureHelp({ showGlobalOptions: true });
    if (command !== program) command.helpOption("-h, --help", "print this");
  });
  return program;
}

function toFamily({ name, summary, verbs, own }: VerbFamily, onVerb: OnVerb): Command {
  const family = own === undefined ? new Command(name).description(summary) : toCommand(own, onVerb);
  family.usage(own === undefined ? "<verb> [options]" : "[options] | <verb> [options]").helpCommand(false);
  for (const verb of verbs) family.addCommand(toCommand(verb, onVerb));
  return family;
}

function toCommand(verb: Verb, onVerb: OnVerb): Command {
  const command = new Command(verb.name)
    .description([verb.summary, ...(verb.details ?? [])].join("\n\n"))
    .summary(verb.summary);
  for (const { name, description } of verb.operands) command.addArgument(new Argument(name, description));
  for (const spec of verb.options) command.addOption(toOption(spec));
  const examples = verb.examples.map(({ command: line, meaning }) => `  ${line}\n      ${meaning}`);
  if (examples.length > 0) command.addHelpText("after", `\nExamples:\n${examples.join("\n")}`);
  return command.action(() => {
    const name = wordsOf(command).slice(1).join(" ");
    onVerb(verb, name, new Given(command.args, optionsOf(command)), new Given([], programOf(command).opts()));
  });
}

/** Commander gives options that a family's own verb has as well to the family, wherever they stand. */
function optionsOf(command: Command): Record<string, unknown> {
  const options: Record<string, unknown> = { ...command.opts() };
  const family = command.parent;
  if (family === null || family.parent === null) return options;
  for (const [name, value] of Object.entries(family.opts())) {
    if (value === undefined) continue;
    if (!command.options.some((option) => option.attributeName() === name)) {
      throw usageError(
        `${family.name()} ${command.name()}: ${optionName(name)} is none of its options`,
        `see reprise ${family.name()} --help`,
      );
    }
    options[name] = value;
  }
  return options;
}

function toOption(spec: OptionSpec): Option {
  const option = new Option(spec.flags, spec.description);
  if (spec.many) {
    option.argParser((value: string, before: string[] | undefined) => [...(before ?? []), checkChoice(spec, value)]);
  } else if (spec.choices) option.choices(spec.choices);
  if (spec.standard !== undefined) option.description += ` (default: ${spec.standard})`;
  if (spec.required) option.makeOptionMandatory();
  if (spec.hidden) option.hideHelp();
  return option;
}

function checkChoice(spec: OptionSpec, value: string): string {
  if (spec.choices === undefined || spec.choices.includes(value)) return value;
  throw usageError(`${spec.flags}: "${value}" is not one of ${spec.choices.join(", ")}`);
}

function programOf(command: Command): Command {
  return command.parent === null ? command : programOf(command.parent);
}

function eachCommand(command: Command, visit: (command: Command) => void): void {
  visit(command);
  for (const child of command.commands) eachCommand(child, visit);
}
