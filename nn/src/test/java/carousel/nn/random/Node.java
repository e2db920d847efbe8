package carousel.nn.random;

import carousel.tensor.op.Op;
import carousel.tensor.op.Reduce;
import java.util.List;

/** One thing that a random program does. Operands are the places of earlier nodes in its graph. */
sealed interface Node {
  /** The nodes it reads. */
  default List<Integer> operands() {
    return List.of();
  }

  /** The same of other nodes. */
  default Node with(List<Integer> operands) {
    return this;
  }

  /** What the program is given: a step z and the tensors of the state, a composite its inputs. */
  record Given(int index) implements Node {}

  /** A parameter of the cell. */
  record Weight(int index) implements Node {}

  /** A tensor that the program holds, but is not told of as a parameter. */
  record Captured(int index) implements Node {}

  /** A number in the source. */
  record Constant(double value) implements Node {}

  /** A number that the program holds, and that changes from call to call. */
  record Annealed(int index) implements Node {}

  /** How a tensor is made within the program. */
  enum Pattern {
    /** {@code Tensor.full}: knows neither rows nor device. */
    FULL,
    /** {@code Tensor.fullAs}, a row for each of the given ones. */
    FULL_ROWS,
    /** {@code zerosLike} of the first given tensor. */
    ZEROS_LIKE,
    /** {@code Tensor.linspace}: another number in every place. */
    RAMP
  }

  /** A tensor that is made within the program. */
  record Made(Pattern pattern, int columns, double value) implements Node {}

  /** An elementwise row. */
  record Row(Op row, List<Integer> operands) implements Node {
    @Override
    public Node with(List<Integer> others) {
      return new Row(row, others);
    }
  }

  /** An output of an op of the program's own; the outputs of one application are nodes alike but for that. */
  record Own(OwnOp op, int output, List<Integer> operands) implements Node {
    @Override
    public Node with(List<Integer> others) {
      return new Own(op, output, others);
    }
  }

  /** Ops of one operand, which all but say what they do by their name. */
  sealed interface Single extends Node {
    int x();

    Single of(int other);

    @Override
    default List<Integer> operands() {
      return List.of(x());
    }

    @Override
    default Node with(List<Integer> others) {
      return of(others.getFirst());
    }
  }

  /** A mask as numbers. */
  record Cast(int x) implements Single {
    @Override
    public Single of(int other) {
      return new Cast(other);
    }
  }

  /** A matrix product. */
  record Product(int left, int right) implements Node {
    @Override
    public List<Integer> operands() {
      return List.of(left, right);
    }

    @Override
    public Node with(List<Integer> others) {
      return new Product(others.get(0), others.get(1));
    }
  }

  /** The transpose of a matrix. */
  record Transposed(int x) implements Single {
    @Override
    public Single of(int other) {
      return new Transposed(other);
    }
  }

  /** One of some pieces of the same size, the last perhaps smaller. */
  record Chunk(int x, int pieces, int index) implements Single {
    @Override
    public Single of(int other) {
      return new Chunk(other, pieces, index);
    }
  }

  /** One of two pieces: what comes before a column, or what comes from there on. */
  record Split(int x, int at, int index) implements Single {
    @Override
    public Single of(int other) {
      return new Split(other, at, index);
    }
  }

  /** Some neighbouring columns. */
  record Narrow(int x, int start, int length) implements Single {
    @Override
    public Single of(int other) {
      return new Narrow(other, start, length);
    }
  }

  /** Every other column. */
  record Strided(int x) implements Single {
    @Override
    public Single of(int other) {
      return new Strided(other);
    }
  }

  /** Side by side. */
  record Joined(List<Integer> operands) implements Node {
    @Override
    public Node with(List<Integer> others) {
      return new Joined(others);
    }
  }

  /** A reduction over the columns, or over the rows. */
  record Folded(Reduce reduce, int x, boolean keep, boolean overRows) implements Single {
    @Override
    public Single of(int other) {
      return new Folded(reduce, other, keep, overRows);
    }
  }

  /** {@code softmax} or {@code logSoftmax} over the columns. */
  record Softmaxed(int x, boolean log) implements Single {
    @Override
    public Single of(int other) {
      return new Softmaxed(other, log);
    }
  }

  /** Blocks of the columns, folded to one: {@code reshape} to a third axis and back. */
  record Pooled(Reduce reduce, int x, int blocks) implements Single {
    @Override
    public Single of(int other) {
      return new Pooled(reduce, other, blocks);
    }
  }

  /** A number per row, as a column. */
  record Unsqueezed(int x) implements Single {
    @Override
    public Single of(int other) {
      return new Unsqueezed(other);
    }
  }

  /** One column or row, as many times as wanted. */
  record Expanded(int x, int columns) implements Single {
    @Override
    public Single of(int other) {
      return new Expanded(other, columns);
    }
  }

  /** The columns from right to left. */
  record Flipped(int x) implements Single {
    @Override
    public Single of(int other) {
      return new Flipped(other);
    }
  }

  /** Sums of the columns up to each. */
  record Cumulated(int x) implements Single {
    @Override
    public Single of(int other) {
      return new Cumulated(other);
    }
  }

  /** In memory of its own. */
  record Copied(int x) implements Single {
    @Override
    public Single of(int other) {
      return new Copied(other);
    }
  }

  /** Without its gradient. */
  record Detached(int x) implements Single {
    @Override
    public Single of(int other) {
      return new Detached(other);
    }
  }

  /** Dropped out, in training. */
  record Dropped(int x, double probability) implements Single {
    @Override
    public Single of(int other) {
      return new Dropped(other, probability);
    }
  }

  /** A row within a composite, made anew every time, under a name that may be the library's. */
  record Composed(String label, Op row, int x) implements Single {
    @Override
    public Single of(int other) {
      return new Composed(label, row, other);
    }
  }
}
