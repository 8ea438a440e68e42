// The node tests of the ONNX standard, which its Python package generates.
import { run } from './command.mjs';

/**
 * Writes the cases to a file.
 * @param {string} file
 * @returns {Promise<string | null>} why there are none, or null
 */
export async function writeOnnxCases(file) {
  const python = process.env.CORR2D_PYTHON || (process.platform === 'win32' ? 'python' : 'python3');
  const probe = await run([python, '-c', 'import onnx, numpy']);
  if (probe.code !== 0) {
    return `${python} with the package onnx is not there (pip install onnx; CORR2D_PYTHON names another Python)`;
  }
  const { code, output } = await run([python, 'test/onnx/cases.py', file]);
  if (code !== 0) throw new Error(`test/onnx/cases.py failed:\n${output}`);
  return null;
}
