/** Weights to and from PyTorch's state_dict. */
@NullMarked
package carousel.exchange.pytorch;

import org.jspecify.annotations.NullMarked;
