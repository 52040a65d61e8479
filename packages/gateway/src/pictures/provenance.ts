/** A mark of origin that stands beside the pixels and that re-encoding does not carry over. */
export type ProvenanceMark = 'c2pa';

/**
 * The UUID of a C2PA manifest store (C2PA 2.1, 11.1.4.2; `c2pa` and ISO/IEC 19566-5's suffix). It stands uncompressed in
 * every format: in JPEG's APP11, PNG's caBX, WebP's C2PA chunk, a box of ISO media.
 */
const MANIFEST_STORE = Buffer.from('6332706100110010800000aa00389b71', 'hex');

/** The marks that bytes carry. SynthID is in the pixels and cannot be found without Google's detector. */
export function provenanceMarks(bytes: Buffer): readonly ProvenanceMark[] {
  return bytes.includes(MANIFEST_STORE) ? ['c2pa'] : [];
}
