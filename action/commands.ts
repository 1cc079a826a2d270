// Which function carries out which command.

import type { CommandStep, Done } from "./commandStep.js";
import { gateCommand } from "./gateCommand.js";
import type { Command } from "./inputs.js";
import { jobCommand, planCommand, statusCommand } from "./jobCommands.js";
import { reportCommand } from "./reportCommand.js";

const COMMAND_OF: Readonly<Record<Command, (step: CommandStep) => Promise<Done>>> = {
  backup: jobCommand,
  verify: jobCommand,
  "restore-test": jobCommand,
  prune: jobCommand,
  sync: jobCommand,
  run: jobCommand,
  plan: planCommand,
  status: statusCommand,
  gate: gateCommand,
  report: reportCommand,
};

export async function carryOut(step: CommandStep): Promise<Done> {
  return await COMMAND_OF[step.inputs.command](step);
}
