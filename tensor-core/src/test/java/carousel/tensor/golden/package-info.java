/** Reads the goldens: small safetensors files of reference values computed by PyTorch. */
@NullMarked
package carousel.tensor.golden;

import org.jspecify.annotations.NullMarked;
