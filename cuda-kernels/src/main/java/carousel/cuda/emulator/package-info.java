/** A CUDA device on the host: the same kernels, compiled by {@code g++}, thread by thread. */
@NullMarked
package carousel.cuda.emulator;

import org.jspecify.annotations.NullMarked;
