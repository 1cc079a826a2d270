// When something is due: a cron line (`30 2 * * 1-5`) or a calendar event (`mon..fri 02:30`), read in a time zone. Pure.

/** As it was written, and the local minutes that it names. */
export interface Schedule {
  text: string;
}
