package carousel.tensor.op;

import carousel.tensor.Device;
import carousel.tensor.Engine;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A copy to another device, by way of the host.
 *
 * @param from where the input lives
 * @param to where the output lives
 */
public record Transfer(Device from, Device to) implements Op {
  @Override
  public String label() {
    return "to";
  }

  @Override
  public Vjp vjp() {
    return Vjp.linear(g -> g.to(from));
  }

  @Override
  public Tensor[] evaluate(Tensor... inputs) {
    Tensor x = inputs[0];
    if (x.device() != from) {
      throw new TensorException(
          "to: moves from " + from + " to " + to + ", but the tensor lives on " + x.device());
    }
    Tensor dense = Engine.layout(x).isContiguous() ? x : new Joins.Copy().evaluate(x)[0];
    Tensor y = Engine.empty(label(), to, x.dtype(), x.shape());
    try (var arena = Arena.ofConfined()) {
      MemorySegment host = arena.allocate(Math.max(1, x.size() * x.dtype().bytes()));
      MemorySegment exact = host.asSlice(0, x.size() * x.dtype().bytes());
      from.backend().read(dense, exact);
      to.backend().write(exact, y);
    }
    return new Tensor[] {y};
  }
}
