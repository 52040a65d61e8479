/**
 * What PyTorch (CUDA, ROCm, MPS, CPU), ComfyUI, ggml and Vulkan say when a picture does not fit into memory. Servers wrap
 * these words in whatever error they have; none of them has a code for it.
 */
const WORDS =
  /out\s?of\s?(?:device\s?|host\s?)?memory|not enough (?:gpu |free )?memory|insufficient memory|exceed allowed memory|ALLOC_FAILED|failed to allocate|cudaMalloc failed|Allocation on device/i;

/** Whether an error's text says that memory ran out. */
export function isOutOfMemory(text: string): boolean {
  return WORDS.test(text);
}
