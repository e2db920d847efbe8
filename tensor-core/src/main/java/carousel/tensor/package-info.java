/** Tensors over off-heap storage: shapes, views, dtypes, devices, and the scopes that own memory. */
@NullMarked
package carousel.tensor;

import org.jspecify.annotations.NullMarked;
