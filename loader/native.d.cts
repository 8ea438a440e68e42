import type * as Binding from '../native/binding.cjs';

/**
 * The addon for this machine.
 *
 * @throws Error `ERR_NO_BACKEND`, which lists what was tried, why it did not load and what mends it
 */
export function loadNative(): typeof Binding;
