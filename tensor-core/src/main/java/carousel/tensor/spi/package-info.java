/** What a backend implements, and how one is found. */
@NullMarked
package carousel.tensor.spi;

import org.jspecify.annotations.NullMarked;
