/**
 * The ops of a backend, a class for each family of kernels, as there is one {@code .cu} file for each: it
 * declares the kernels of its rows and launches them.
 */
@NullMarked
package carousel.cuda.family;

import org.jspecify.annotations.NullMarked;
