/** The CUDA side: what the machine has to offer, and the kernels for it. */
@NullMarked
package carousel.cuda;

import org.jspecify.annotations.NullMarked;
