/** What decides which addon fits. */
export interface Machine {
  platform: string;
  arch: string;
  /** `'glibc'`, `'musl'` or, where it does not matter, an empty string. */
  libc: string;
  glibcVersion: string | undefined;
  node: string;
  /** `NAPI_RS_NATIVE_LIBRARY_PATH`. */
  override: string | undefined;
  /** The platform packages that lie beside this one. */
  installed: string[];
}

/** One error for all that was tried; the reasons are the messages of `error` and its causes, the last first. */
export function explain(error: unknown, machine?: Machine): Error & { code: 'ERR_NO_BACKEND' };
