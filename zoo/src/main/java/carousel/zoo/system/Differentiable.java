package carousel.zoo.system;

import carousel.autograd.Leaf;
import carousel.tensor.Tensor;
import java.util.List;
import java.util.function.Supplier;

/**
 * A loss that finite differences can be held to: small, and the same at every call.
 *
 * @param loss a scalar
 * @param leaves what it is differentiated by
 */
public record Differentiable(Supplier<Tensor> loss, List<? extends Leaf> leaves) {}
