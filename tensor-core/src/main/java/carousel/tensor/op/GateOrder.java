package carousel.tensor.op;

import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * The gates of a recurrent cell, in the order in which their blocks stand side by side: G gates of H
 * units are G·H columns, those of the first gate first. It is stated once, here; whoever takes weights
 * apart or puts them together (a cell, a kernel, a file format, a drawing) asks for a gate by its name.
 *
 * @param names the gates' names in the literature, each once
 */
public record GateOrder(List<String> names) {
  /** An LSTM: input gate i, forget gate f, candidate g, output gate o. */
  public static final GateOrder LSTM = of("i", "f", "g", "o");

  /** An LSTM whose forget gate is {@code 1 − i}: input gate i, candidate g, output gate o. */
  public static final GateOrder CIFG = of("i", "g", "o");

  /** A GRU: reset gate r, update gate z, candidate n. */
  public static final GateOrder GRU = of("r", "z", "n");

  /** Checks that no name is there twice. */
  public GateOrder {
    names = List.copyOf(names);
    if (names.isEmpty() || names.stream().distinct().count() != names.size()) {
      throw new TensorException("gates: wants one name per gate, each once, got " + names);
    }
  }

  /**
   * An order.
   *
   * @param names the names of the gates, the first block's first
   * @return the order
   */
  public static GateOrder of(String... names) {
    return new GateOrder(List.of(names));
  }

  /** {@return how many gates there are, G} */
  public int size() {
    return names.size();
  }

  /**
   * Where the block of a gate stands.
   *
   * @param gate its name
   * @return the number of blocks before it
   * @throws TensorException if there is no such gate
   */
  public int indexOf(String gate) {
    int index = names.indexOf(gate);
    if (index < 0) {
      throw new TensorException("gates: there is no '" + gate + "' among " + names);
    }
    return index;
  }

  /**
   * The order of what has no block for one of the gates.
   *
   * @param gate its name
   * @return the other gates, in this order
   */
  public GateOrder without(String gate) {
    indexOf(gate);
    return new GateOrder(names.stream().filter(name -> !name.equals(gate)).toList());
  }

  /**
   * The order of what has one block more, after the others.
   *
   * @param gate its name, a new one
   * @return these gates and that
   */
  public GateOrder with(String gate) {
    return new GateOrder(Stream.concat(names.stream(), Stream.of(gate)).toList());
  }

  /**
   * The block of one gate.
   *
   * @param x has G·H elements along an axis
   * @param axis that axis; negative counts from the last
   * @param gate its name
   * @return a view with H elements along the axis
   */
  public Tensor block(Tensor x, int axis, String gate) {
    int units = units(x, axis);
    return x.narrow(axis, indexOf(gate) * units, units);
  }

  /**
   * All blocks of the last axis, by one op.
   *
   * @param x {@code [..,G·H]}
   * @return each {@code [..,H]}
   */
  public Blocks split(Tensor x) {
    units(x, Tensor.LAST);
    return new Blocks(this, x.chunk(size(), Tensor.LAST));
  }

  /**
   * The blocks of a tensor in this order. Gates that only this has are 0, those that only the other has
   * are left out.
   *
   * @param other the order in which they stand
   * @param x has a block per gate of the other order along an axis
   * @param axis that axis; negative counts from the last
   * @return a new tensor
   */
  public Tensor from(GateOrder other, Tensor x, int axis) {
    Shape one = x.shape().with(axis, other.units(x, axis));
    return Tensor.concat(
        names.stream()
            .map(gate -> other.names.contains(gate) ? other.block(x, axis, gate) : x.zerosLike(one))
            .toList(),
        axis);
  }

  private int units(Tensor x, int axis) {
    if (x.dim(axis) % size() != 0) {
      throw new TensorException(
          String.format(
              Locale.ROOT,
              "gates: axis %d of %s does not consist of %d blocks, %s",
              axis,
              x.shape(),
              size(),
              names));
    }
    return x.dim(axis) / size();
  }

  /**
   * What {@link #split} gives.
   *
   * @param order names the blocks
   * @param tensors the blocks
   */
  public record Blocks(GateOrder order, List<Tensor> tensors) {
    /**
     * The block of a gate.
     *
     * @param gate its name
     * @return {@code [..,H]}
     */
    public Tensor get(String gate) {
      return tensors.get(order.indexOf(gate));
    }
  }
}
