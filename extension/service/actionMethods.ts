// The methods of the service that change or start something.

import type { ActionsApi } from "./actionsProtocol.js";
import { backUpByJob, backUpNow, initNewRepository } from "./backupActions.js";
import { makeDemoRepository } from "./demoRepository.js";
import type { OpenRepositories } from "./openRepositories.js";
import { applyGc, applyPrune, planGc, planPrune } from "./plannedActions.js";
import type { AnswerOf, ArgumentOf, Handle } from "./protocol.js";
import type { RunningServers } from "./runningServers.js";
import type { CallContext } from "./session.js";
import { forget, setNotes, setProtection, setTags, verify } from "./snapshotActions.js";

type ActionMethods = {
  [M in keyof ActionsApi<Handle>]: (argument: ArgumentOf<M>, context: CallContext) => Promise<AnswerOf<M>>;
};

export function actionMethods(repositories: OpenRepositories, servers: RunningServers): ActionMethods {
  const session = ({ repository }: { repository: Handle }) => repositories.get(repository);
  const done = async (work: unknown): Promise<null> => {
    await work;
    return null;
  };
  return {
    verify: async (argument, context) => await verify(session(argument), argument, context),
    setProtection: async (argument, context) => await setProtection(session(argument), argument, context),
    setNotes: async (argument, context) => await setNotes(session(argument), argument, context),
    setTags: async (argument, context) => await setTags(session(argument), argument, context),
    forget: async (argument, context) => await forget(session(argument), argument, context),
    planPrune: async (argument, context) => await planPrune(session(argument), argument, context),
    applyPrune: async (argument, context) => await applyPrune(session(argument), argument, context),
    planGc: async (argument, context) => await planGc(session(argument), context),
    applyGc: async (argument, context) => await applyGc(session(argument), argument, context),
    backUp: async (argument, context) => await backUpNow(session(argument), argument, context),
    backUpByJob: async (argument, context) => await backUpByJob(session(argument), argument, context),
    initRepository: (argument, context) => initNewRepository(argument, context),
    makeDemo: (argument, context) => makeDemoRepository(argument, context),
    startNbd: async (argument, context) => await servers.startNbd(session(argument), argument, context),
    stopNbd: ({ server }) => done(servers.stop(server)),
    startBoot: async (argument, context) => await servers.startBoot(session(argument), argument, context),
    bootOutput: async (argument, context) => await servers.bootOutput(argument, context),
    bootInput: async (argument) => await done(servers.bootInput(argument)),
    stopBoot: ({ boot }) => done(servers.stop(boot)),
  };
}
