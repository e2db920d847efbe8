/** The CPU backend: loops on the Vector API, and scalar loops where it is absent. */
@NullMarked
package carousel.tensor.cpu;

import org.jspecify.annotations.NullMarked;
