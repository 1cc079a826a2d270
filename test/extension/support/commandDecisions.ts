// What was decided about each command: when the palette offers it, whether it asks something even when it is called on its own row, and
// whether it writes or starts something. A command without a decision fails the tests.

export type Offered =
  /** From the first moment on. */
  | "always"
  /** The settings name a repository. */
  | "repository"
  /** Something that only then is there: a comparison, versions, reports, a gate, a server, a machine. */
  | { context: readonly string[] }
  /** A folder of this computer is open. */
  | "folder";

export interface Decision {
  offered: Offered;
  /** Its title ends with an ellipsis. */
  asks: boolean;
  /** Never in a workspace that nobody trusts. */
  needsTrust: boolean;
}

const decide = (offered: Offered, asks: boolean, needsTrust = false): Decision => ({ offered, asks, needsTrust });
const [ASKS, ACTS, TRUST] = [true, false, true] as const;

export const DECISIONS: Readonly<Record<string, Decision>> = {
  addRepository: decide("always", ASKS),
  initRepository: decide("always", ASKS, TRUST),
  makeDemo: decide("always", ACTS, TRUST),
  showLog: decide("always", ACTS),
  openWalkthrough: decide("always", ACTS),

  removeRepository: decide("repository", ASKS),
  unlockRepository: decide("repository", ASKS),
  giveKeeperKey: decide("repository", ASKS, TRUST),
  refresh: decide("repository", ACTS),
  overview: decide("repository", ACTS),
  filter: decide("repository", ASKS),
  clearFilter: decide({ context: ["reprise.filtered"] }, ACTS),
  filterFolder: decide({ context: ["reprise.folderSelected"] }, ASKS),
  clearFolderFilter: decide({ context: ["reprise.folderFiltered"] }, ACTS),

  openFile: decide("repository", ACTS),
  openPart: decide("repository", ASKS),
  openInWorkspace: decide("repository", ACTS),
  goToPath: decide("repository", ASKS),
  copyPath: decide("repository", ACTS),
  copyCommandLine: decide("repository", ACTS),
  copyRestoreCommand: decide("repository", ACTS),

  showVersions: decide("repository", ACTS),
  diffWithPrevious: decide("repository", ACTS),
  diffWithVersion: decide("repository", ASKS),
  diffWithMachine: decide("repository", ASKS),
  diffWithLocal: decide("repository", ASKS),
  mapFolder: decide("repository", ASKS),
  copyHistoryCommand: decide({ context: ["reprise.hasVersions"] }, ACTS),
  changesSincePrevious: decide("repository", ACTS),
  changesBetween: decide("repository", ASKS),
  openChange: decide({ context: ["reprise.changeSelected"] }, ACTS),
  filterChanges: decide({ context: ["reprise.hasComparison"] }, ASKS),
  copyDiffCommand: decide({ context: ["reprise.hasComparison"] }, ACTS),
  closeChanges: decide({ context: ["reprise.hasComparison"] }, ACTS),

  findFiles: decide("repository", ASKS),
  searchText: decide("repository", ASKS),
  searchAgain: decide({ context: ["reprise.hasSearch"] }, ACTS),
  closeSearch: decide({ context: ["reprise.hasSearch"] }, ACTS),
  copySearchCommand: decide({ context: ["reprise.hasNameSearch"] }, ACTS),

  restoreToFolder: decide("repository", ASKS, TRUST),
  restoreToWorkspace: decide("repository", ACTS, TRUST),
  restoreDisk: decide("repository", ASKS, TRUST),
  restoreMachine: decide("repository", ASKS, TRUST),
  exportArchive: decide("repository", ASKS, TRUST),
  exportEvidence: decide("repository", ASKS, TRUST),

  backUpNow: decide("repository", ASKS, TRUST),
  verifySnapshot: decide("repository", ASKS, TRUST),
  verifyRepository: decide("repository", ASKS, TRUST),
  protect: decide("repository", ACTS, TRUST),
  unprotect: decide("repository", ASKS, TRUST),
  editNotes: decide("repository", ASKS, TRUST),
  editTags: decide("repository", ASKS, TRUST),
  forget: decide("repository", ASKS, TRUST),
  prune: decide("repository", ASKS, TRUST),
  gc: decide("repository", ASKS, TRUST),

  serveNbd: decide("repository", ACTS, TRUST),
  boot: decide("repository", ASKS, TRUST),
  // stopping is always allowed
  stopNbd: decide({ context: ["reprise.nbdRunning"] }, ACTS),
  stopMachine: decide({ context: ["reprise.machineRunning"] }, ACTS),
  showRunning: decide({ context: ["reprise.nbdRunning", "reprise.machineRunning"] }, ASKS),

  runRestoreTest: decide("repository", ACTS, TRUST),
  createRestoreTest: decide("repository", ACTS),
  openTestReport: decide({ context: ["reprise.hasTestReports"] }, ACTS),
  openTestScreenshot: decide({ context: ["reprise.hasTestReports"] }, ACTS),
  refreshRestoreTests: decide("repository", ACTS),
  checkGate: decide("folder", ACTS, TRUST),
  showGate: decide({ context: ["reprise.hasGate"] }, ACTS, TRUST),
};
