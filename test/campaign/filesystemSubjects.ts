// The images that every reader is tried with, by the name that `--reader` takes.

import { btrfsFuzzSubjects } from "../filesystem/btrfs/fuzzSubjects.js";
import { extFuzzSubjects } from "../filesystem/ext/fuzzSubjects.js";
import type { FuzzSubject } from "../filesystem/fuzzReader.js";
import { portableFuzzSubjects } from "../filesystem/portableFuzzSubjects.js";
import { volumeFuzzSubjects } from "../filesystem/volumes/fuzzSubjects.js";
import { xfsFuzzSubjects } from "../filesystem/xfs/fuzzSubjects.js";

const portable = (start: string) => portableFuzzSubjects.filter(({ name }) => name.startsWith(start));

export const subjectsOfReaders: Record<string, readonly FuzzSubject[]> = {
  volumes: volumeFuzzSubjects,
  ext: extFuzzSubjects,
  fat: portable("fat"),
  exfat: portable("exfat"),
  ntfs: portable("ntfs"),
  xfs: xfsFuzzSubjects,
  btrfs: btrfsFuzzSubjects,
};
