// The only door into the core: what the command line, the extension and the action may use. Nothing else is promised.

export type { NamedPath, PathToName } from "./backup/archiveNames.js";
export { nameArchives } from "./backup/archiveNames.js";
export type { BackupRequest, BackupResult, FileInput } from "./backup/backup.js";
export { backUp } from "./backup/backup.js";
export type { DiskInput } from "./backup/diskInput.js";
export { parseExcludes } from "./backup/excludeRules.js";
export { InputDisks } from "./backup/inputDisks.js";
export { readConfigFile, requireFolder } from "./backup/inputFiles.js";
export type { TreeInput } from "./backup/treeInput.js";
export type { Duration } from "./calendar/duration.js";
export { formatDuration, parseDuration, subtractDuration } from "./calendar/duration.js";
export { parseIsoInstant } from "./calendar/isoInstant.js";
export { openTimeZone } from "./calendar/localTime.js";
export type { Schedule } from "./calendar/schedule.js";
export { lastRun, nextRun, parseSchedule } from "./calendar/schedule.js";
export { describeSchedule } from "./calendar/scheduleWords.js";
export type { ChunkerParams } from "./chunking/chunkerParams.js";
export { checkChunkerParams, DEFAULT_CHUNKER } from "./chunking/chunkerParams.js";
export { type ConfigFiles, filesBeside } from "./config/configFiles.js";
export { checkConfigFile, DEFAULT_CONFIG_PATH, loadConfig, looksLikeConfig } from "./config/loadConfig.js";
export {
  ConfiguredRepositories,
  locationInEnvironment,
  locationOf,
  type OpenConfiguredOptions,
  openConfiguredRepository,
  signingKeyOf,
} from "./config/openConfigured.js";
export { readPemFile } from "./config/pemFile.js";
export { type ConfigProblem, configProblems, type ReadConfigOptions, readConfig } from "./config/readConfig.js";
export type * from "./config/repriseConfig.js";
export { JOB_COMMANDS } from "./config/repriseConfig.js";
export { folderOfConfig, resolveSecret, type SecretSurroundings } from "./config/resolveSecret.js";
export { readSecretFile } from "./config/secretFile.js";
export { formatSecretReference, parseSecretReference } from "./config/secretReference.js";
export {
  asGivenSecret,
  keeperKeyFromVariables,
  passphraseFromVariables,
  readKeeperKeyFile,
  readSigningKeyFile,
  signingKeyFromVariables,
  type Variables,
} from "./config/usualVariables.js";
export { KeeperKey, keeperFingerprint } from "./crypto/keeperKey.js";
export { formatRecoveryKey, looksLikeRecoveryKey, parseRecoveryKey } from "./crypto/recoveryKey.js";
export type { DoctorReport, Finding, FindingStatus } from "./doctor/doctor.js";
export { examineRepository } from "./doctor/doctor.js";
export { warmUpLanes } from "./engine/threadLane.js";
export type { ErrorAsData, ErrorDetails, ErrorFamily } from "./errors.js";
export { errorToData, isAbort, isOurError, RepriseError } from "./errors.js";
export { MAX_EVIDENCE_FILE_BYTES, splitEnvelopes } from "./evidence/envelopeFile.js";
export type { GateFacts, GateReasonCode, MachineFacts, SnapshotFacts } from "./evidence/gateFacts.js";
export { GATE_REASONS } from "./evidence/gateFacts.js";
export type { InventoriedSnapshot, Inventory } from "./evidence/inventory.js";
export { INVENTORY_TYPE, inventoryOf, MAX_INVENTORY } from "./evidence/inventory.js";
export type { EvidencePolicy, EvidenceReason, EvidenceReasonCode, EvidenceVerdict } from "./evidence/policy.js";
export type { SignedInventory } from "./evidence/signedInventories.js";
export { readInventories, signInventory } from "./evidence/signedInventories.js";
export { SigningKey, VerificationKey } from "./evidence/signingKey.js";
export { recordDigest, signTestEvidence } from "./evidence/testStatements.js";
export { verifyEvidence } from "./evidence/verifyEvidence.js";
export type { CheckedEntry, CheckedTree, LiveStatement, TreeProblem } from "./evidenceBranch/branchTree.js";
export type { CheckedBranch, EvidencePlace } from "./evidenceBranch/fetchedBranch.js";
export { DEFAULT_EVIDENCE_BRANCH, problemText, readBranch } from "./evidenceBranch/fetchedBranch.js";
export type { FactsTrust } from "./evidenceBranch/machineFacts.js";
export type { PublishOptions, PublishReport, PublishRequest } from "./evidenceBranch/publishEvidence.js";
export { publishEvidence } from "./evidenceBranch/publishEvidence.js";
export { readEvidenceBranch } from "./evidenceBranch/readEvidenceBranch.js";
export type { EvidenceLog, EvidenceLogLine } from "./evidenceBranch/readEvidenceLog.js";
export { readEvidenceLog } from "./evidenceBranch/readEvidenceLog.js";
export type { MachineEvidence } from "./evidenceBranch/repositoryEvidence.js";
export { repositoryEvidence } from "./evidenceBranch/repositoryEvidence.js";
export { statementAbout } from "./evidenceBranch/statementAbout.js";
export { tarFolder } from "./files/archive/tarFolder.js";
export type { ArchiveOptions } from "./files/archive/walkForArchive.js";
export { zipFolder } from "./files/archive/zipFolder.js";
export type { FileDifference } from "./files/diffTrees.js";
export { diffTrees } from "./files/diffTrees.js";
export type { HistoryPeriod, PathHistory, PathVersion } from "./files/fileHistory.js";
export { pathHistory } from "./files/fileHistory.js";
export type { FileQuery } from "./files/findFiles.js";
export { findFiles } from "./files/findFiles.js";
export type { FoundVersion } from "./files/findInSnapshots.js";
export { findInSnapshots, snapshotsHaving } from "./files/findInSnapshots.js";
export { type ListedFile, type ListOptions, listFiles } from "./files/listFiles.js";
export type { FileNode, MachineTree, TreeEntry, TreeNode } from "./files/machineTree.js";
export type { Volume } from "./files/machineVolumes.js";
export { compileGlob } from "./files/nameGlob.js";
export { openChunkFetcher, openSnapshotTree } from "./files/openTree.js";
export { readFile, requireFile } from "./files/readFile.js";
export type { LeftOutAttributes, SkippedFile } from "./files/restore/leftOut.js";
export { restoreFiles } from "./files/restore/restoreFiles.js";
export type { RestoreFilesOptions, RestoreFilesReport, RestoreFilesRequest } from "./files/restore/restoreRequest.js";
export type { ChunkFetcher } from "./files/snapshotDisk.js";
export { exportSnapshot } from "./files/snapshotExport.js";
export { unifiedDiff } from "./files/textDiff.js";
export { formatTreePath, parseTreePath, type TreePath } from "./files/treePath.js";
export type { FileKind, FileStat, FileSystemInfo } from "./filesystem/fileSystem.js";
export { formatName } from "./filesystem/nameText.js";
export type { GroupPrunePlan, PruneScope } from "./forget/forget.js";
export {
  applyPrune,
  checkForgettable,
  forgetSnapshots,
  planRepositoryPrune,
  pruneCandidates,
} from "./forget/forget.js";
export { formatTime } from "./format/fields.js";
export type { PackName, Sid } from "./format/ids.js";
export { hexToBytes, isSafeId, objectName } from "./format/ids.js";
export type { JobRecordData, JobTrigger } from "./format/jobRecord.js";
export { MAX_BLOB_PLAIN, MAX_NOTES_LENGTH, MAX_TAGS } from "./format/limits.js";
export type { Archive, Manifest, SnapshotStatistics } from "./format/manifest.js";
export { isGroup, isNamespace, qualifiedGroup } from "./format/manifest.js";
export type { CheckResult, RestoreTestRecord, TestLevel } from "./format/restoreTestRecord.js";
export { decodeRestoreTestRecord, TEST_LEVELS } from "./format/restoreTestRecord.js";
export type { GateVerdict } from "./gate/decideGate.js";
export { decideGate } from "./gate/decideGate.js";
export { compileRules, pathOf, unmatchedPatterns } from "./gate/requiredMachines.js";
export type { GateOptions, GateRequest, GateRun } from "./gate/runGate.js";
export { runGate } from "./gate/runGate.js";
export type { GcReport, GcRequest } from "./gc/collect.js";
export { collectGarbage, DEFAULT_FENCE_AFTER_MS, DEFAULT_MAX_UNUSED } from "./gc/collect.js";
export type { OpenSession } from "./gc/fencing.js";
export type { GcPlanSummary, PlannedPack } from "./gc/planGc.js";
export type { ChangedFile, ChangedFiles, ChangeRange } from "./git/changedFiles.js";
export { changedFiles } from "./git/changedFiles.js";
export type { GitRepository } from "./git/gitRepository.js";
export { openGitRepository } from "./git/gitRepository.js";
export type { FoundConfig } from "./hypervisor/config/findConfig.js";
export { findMachineConfig, MAX_CONFIG_BYTES } from "./hypervisor/config/findConfig.js";
export type { HardwareWishes, ShapeRequest } from "./hypervisor/config/shapeFor.js";
export { CPUS_CAP, MEMORY_CAP_MIB, shapeFor } from "./hypervisor/config/shapeFor.js";
export { type RemovedLeftovers, removeLeftovers } from "./hypervisor/leftovers.js";
export type { MachineNetwork, RunningMachine } from "./hypervisor/machine.js";
export type { MachineEnd } from "./hypervisor/machineEnd.js";
export type { AcceleratorChoice, DiskBus, MachineShape, NicModel } from "./hypervisor/machineShape.js";
export { ACCELERATORS, DISK_BUSES, NIC_MODELS } from "./hypervisor/machineShape.js";
export { defaultRunBase } from "./hypervisor/runFolder.js";
export type { SerialLine, SerialLog } from "./hypervisor/serialLog.js";
export { decodeJobReport } from "./jobReport/decodeJobReport.js";
export { encodeJobReport } from "./jobReport/encodeJobReport.js";
export type { JobHtmlOptions } from "./jobReport/jobHtml.js";
export { renderJobHtml } from "./jobReport/jobHtml.js";
export type { JobReport, MachineReportLine, ReportProblem, TestReportPart } from "./jobReport/jobReport.js";
export { JOB_REPORT_SCHEMA, MAX_JOB_REPORT_BYTES, REPORT_COMMANDS } from "./jobReport/jobReport.js";
export { renderSummary } from "./jobReport/jobSummary.js";
export { renderJobText } from "./jobReport/jobText.js";
export { mergeReports } from "./jobReport/mergeReports.js";
export { mergeRunnerReports } from "./jobReport/mergeRunnerReports.js";
export type { Annotation } from "./jobReport/problemsToAnnotate.js";
export { problemsToAnnotate } from "./jobReport/problemsToAnnotate.js";
export { redactReport } from "./jobReport/redactReport.js";
export type { SummaryOptions } from "./jobReport/summaryOptions.js";
export { withChosenTests } from "./jobs/chosenTests.js";
export type { RunOptions } from "./jobs/completeRun.js";
export { findJob, machinesOfJob, testsOfJob } from "./jobs/configJobs.js";
export type {
  JobEvent,
  JobOptions,
  JobRequest,
  JobRun,
  RepositorySource,
  RunManner,
  RunRequest,
  StatusRequest,
} from "./jobs/jobRequest.js";
export type { SecretReader } from "./jobs/notify/notify.js";
export type { JobHistories, PlanFilter } from "./jobs/planRuns.js";
export { planRuns } from "./jobs/planRuns.js";
export { runJob } from "./jobs/runJob.js";
export { loadHistories, planReport, runJobs } from "./jobs/runJobs.js";
export { configStatus, repositoryStatus } from "./jobs/status.js";
export { jobReportFiles, writeJobReports } from "./jobs/writeJobReports.js";
export type { NbdAddress } from "./nbd/connection.js";
export { type NbdServer, startNbdServer } from "./nbd/server.js";
export { tlsOptions } from "./nbd/serverTls.js";
export { abortable } from "./platform/abortable.js";
export { readAtMost, readInputFile } from "./platform/inputFile.js";
export { literalPattern } from "./platform/literalPattern.js";
export { checkNewFile, makeFolder, makeNewFile, writeNewFile } from "./platform/newFile.js";
export type { OnProgress, ProgressEvent } from "./platform/progress.js";
export { requireTool } from "./platform/tool.js";
export type { ConfigRepair } from "./repair/repairConfig.js";
export { applyRepairConfig, planRepairConfig } from "./repair/repairConfig.js";
export type {
  ReplicaRepairRange,
  ReplicaRepairReport,
  ReplicaRepairRequest,
  ReplicaRepairSnapshot,
} from "./repair/repairFrom.js";
export { repairFromReplica } from "./repair/repairFrom.js";
export type { IndexRepairPlan } from "./repair/repairIndex.js";
export { applyRepairIndex, planRepairIndex } from "./repair/repairIndex.js";
export { repairRescue } from "./repair/repairRescue.js";
export type { SnapshotRepair, SnapshotRepairPlan } from "./repair/repairSnapshots.js";
export { applyRepairSnapshots, planRepairSnapshots } from "./repair/repairSnapshots.js";
export type { VersionRepair } from "./repair/repairVersions.js";
export { applyRepairVersions, planRepairVersions } from "./repair/repairVersions.js";
export { ConsoleFilter } from "./report/consoleFilter.js";
export { inert, inertLine } from "./report/inertText.js";
export { BlobReader } from "./repository/blobReader.js";
export type { Catalog, CatalogOptions, CatalogProgress, Snapshot, VerificationState } from "./repository/catalog.js";
export { inOrder, loadCatalog } from "./repository/catalog.js";
export { readConfig as readRepositoryConfig } from "./repository/configObject.js";
export type { InitOptions, InitResult } from "./repository/initRepository.js";
export { DEFAULT_PACK_BYTES, initRepository } from "./repository/initRepository.js";
export type { KeeperTrust } from "./repository/keeperTrust.js";
export { defaultStateFolder } from "./repository/keeperTrust.js";
export type { GivenSecret, KeySlotSummary } from "./repository/keys.js";
export { addKeySlot, changePassphrase, listKeySlots, removeKeySlot } from "./repository/keys.js";
export { defaultCacheFolder } from "./repository/objectCache.js";
export type { OpenOptions } from "./repository/openRepository.js";
export { openRepository } from "./repository/openRepository.js";
export type { CodecChoice } from "./repository/packBuilder.js";
export type { Presence } from "./repository/presence.js";
export { loadPresenceForReading } from "./repository/presence.js";
export { writeRecord } from "./repository/records.js";
export type { Environment, Repository } from "./repository/repository.js";
export { systemEnvironment } from "./repository/repository.js";
export { rescueFiles } from "./repository/rescueFiles.js";
export type { RestoreTestState } from "./repository/restoreTestState.js";
export {
  distinctDigits,
  resolveSnapshot,
  snapshotsOfMachine,
  splitNamespace,
} from "./repository/snapshotName.js";
export type { OnWarning, Warning } from "./repository/warnings.js";
export type { RestoreTarget } from "./restore/blockTarget.js";
export { createTarget } from "./restore/openTarget.js";
export { removeUnfinished } from "./restore/partialLock.js";
export type { RestoreDisksOptions, RestoredItem, RestoreItem } from "./restore/restoreDisks.js";
export { restoreDisks, restoredFileNames } from "./restore/restoreDisks.js";
export { restoreFile } from "./restore/restoreFile.js";
export type { LostRange, RestoreImageResult } from "./restore/restoreImage.js";
export { restoreImage } from "./restore/restoreImage.js";
export { restoreStream } from "./restore/restoreStream.js";
export { refuseTargetInside } from "./restore/targetPlace.js";
export type { ChosenSnapshot } from "./restoreTest/choose/chooseSnapshot.js";
export { chooseSnapshot } from "./restoreTest/choose/chooseSnapshot.js";
export {
  DRILL_FAULTS,
  type DrillFault,
  type DrillFaultName,
  drillFault,
  isNoticed,
} from "./restoreTest/drill/drillFaults.js";
export type { EvidenceExport, EvidenceFile } from "./restoreTest/exportEvidence.js";
export { exportEvidence } from "./restoreTest/exportEvidence.js";
export { type BootedSnapshot, type BootRequest, bootSnapshot } from "./restoreTest/instantBoot.js";
export { type ReportFile, reportFiles, reportFolderName } from "./restoreTest/report/reportFiles.js";
export { writeTestReports } from "./restoreTest/report/writeReports.js";
export { runRestoreTest } from "./restoreTest/run/runRestoreTest.js";
export type { MachineReport, TestEvent, TestOptions, TestReport, TestRequest } from "./restoreTest/run/testRequest.js";
export { snapshotChoice } from "./restoreTest/spec/buildMachine.js";
export { narrowSpec } from "./restoreTest/spec/narrowSpec.js";
export { readPlacedSpecs, readRestoreTestSpec, readRestoreTestSpecs } from "./restoreTest/spec/readSpec.js";
export type {
  CheckSpec,
  MachineTest,
  RestoreTestSpec,
  SnapshotChoice,
} from "./restoreTest/spec/restoreTestSpec.js";
export type { ChainProblem, ChainProblemCode, StoredTest, TestHistory } from "./restoreTest/storedRecords.js";
export { lastTestTimes, newestTestDigest, storeTestRecord, testHistory } from "./restoreTest/storedRecords.js";
export type { PruneCandidate, PruneDecision, PruneMark } from "./retention/planPrune.js";
export { DEFAULT_TIME_DISTRUST, planPrune } from "./retention/planPrune.js";
export type { CountRule, KeepOptions } from "./retention/prunePolicy.js";
export { COUNT_RULES, checkKeepOptions, keepsEverything } from "./retention/prunePolicy.js";
export type { RetentionSummary } from "./retention/retentionSummary.js";
export { summarizePlan } from "./retention/retentionSummary.js";
export type { SimulatedDecision } from "./retention/simulate.js";
export { simulatePrune } from "./retention/simulate.js";
export { haproxyConfig } from "./roles/haproxyConfig.js";
export type { S3PolicyKind } from "./roles/s3Policy.js";
export {
  DEFAULT_NONCURRENT_DAYS,
  KEEPER_PLACEHOLDER,
  RUNNER_PLACEHOLDER,
  S3_POLICY_KINDS,
  s3Policy,
} from "./roles/s3Policy.js";
export type { ImageFormat } from "./source/imageFormat.js";
export { imageFormats } from "./source/imageFormat.js";
export type { OpenedSource } from "./source/openSource.js";
export { openSource } from "./source/openSource.js";
export type { GroupStats, RepositoryStats } from "./stats/stats.js";
export { repositoryStats } from "./stats/stats.js";
export type { Backend, StorageRetry, Traffic } from "./storage/backend.js";
export { createBucket, openBackend } from "./storage/openBackend.js";
export { parseS3Location } from "./storage/s3/s3Location.js";
export { throttleBackend } from "./storage/throttledBackend.js";
export type { SyncEstimate } from "./sync/estimateSync.js";
export { estimateSync } from "./sync/estimateSync.js";
export type { SnapshotPair, VanishedCopy } from "./sync/planSync.js";
export type { RepositorySyncPlan } from "./sync/sync.js";
export { applySync, planRepositorySync } from "./sync/sync.js";
export type { CopiedSnapshot, FailedSnapshot, SyncReport, SyncRequest } from "./sync/syncReport.js";
export { verifyRepository } from "./verify/verify.js";
export type { SnapshotVerdict, VerifyReport, VerifyRequest } from "./verify/verifyReport.js";
export { nearestWord } from "./yaml/nearestWord.js";
export type { FileProblem } from "./yaml/problems.js";
export { formatSpan, parseSize, parseSpan } from "./yaml/units.js";
