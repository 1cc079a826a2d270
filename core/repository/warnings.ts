// Things that went wrong without stopping the operation. They end up in the command's output and turn exit code 0 into 3.

export interface Warning {
  code: string;
  message: string;
  data?: Record<string, unknown>;
  /** How often the same one came up; absent: once. */
  count?: number;
}

export type OnWarning = (warning: Warning) => void;

export const IGNORE_WARNINGS: OnWarning = () => {};
