// Why something cannot be shown, in few words: what the core says begins with a place, which is all that a narrow row would show.

import type { Translate } from "./words.js";

export function problemReason({ code, family }: { code: string; family: string }, t: Translate): string {
  switch (code) {
    case "STORAGE_NOT_FOUND":
      return t("The folder is not there");
    case "REPOSITORY_NOT_FOUND":
      return t("No repository is there");
    case "S3_BUCKET_MISSING":
      return t("The bucket is not there");
    case "STORAGE_UNREACHABLE":
      return t("The storage does not answer");
    case "STORAGE_ACCESS_DENIED":
      return t("Access is refused");
    case "STORAGE_LOCATION_INVALID":
      return t("The location is not right");
    case "STORAGE_TLS_FAILED":
      return t("The connection is not trusted");
    case "SFTP_HOST_KEY_CHANGED":
      return t("The server has another host key");
    case "SFTP_HOST_KEY_UNKNOWN":
      return t("The server's host key is not known");
    case "SFTP_AUTH_FAILED":
      return t("The server refuses the login");
    case "S3_CREDENTIALS_MISSING":
      return t("Credentials are missing");
    case "S3_CREDENTIALS_WRONG":
      return t("The credentials are wrong");
    default:
      return familyReason(family, t);
  }
}

function familyReason(family: string, t: Translate): string {
  switch (family) {
    case "format":
      return t("It is not of a known format");
    case "corrupt":
      return t("Damaged");
    case "not-found":
      return t("It is not there");
    case "backend":
      return t("The storage failed");
    case "key":
      return t("The key or passphrase is not the right one");
    case "conflict":
      return t("Something else came first");
    case "unsupported":
      return t("It is not supported");
    case "usage":
      return t("It cannot be used as it is given");
    default:
      return t("It could not be read");
  }
}
