package carousel.nn.random;

import carousel.nn.Parameter;
import carousel.nn.Parameters;
import carousel.nn.recurrent.AffineCell;
import carousel.nn.recurrent.Cell;
import carousel.nn.recurrent.RecurrentState;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/** A cell that runs a program. */
sealed interface ProgramCell extends Cell<RecurrentState> {
  /** What it is made of. */
  Content content();

  /** The weights of the input; not read by every cell. */
  Parameter wx();

  /** The bias. */
  Parameter b();

  /**
   * What a cell holds, but for what an affine one has to have.
   *
   * @param numbers change in place
   */
  record Content(
      CellProgram program, List<Parameter> weights, List<Tensor> captured, double[] numbers)
      implements Evaluation.Held {
    @Override
    public Tensor weight(int index) {
      return weights.get(index).value();
    }

    @Override
    public Tensor captured(int index) {
      return captured.get(index);
    }

    @Override
    public double number(int index) {
      return numbers[index];
    }
  }

  /** One tensor. */
  record One(Tensor a) implements RecurrentState {}

  /** Two tensors. */
  record Two(Tensor a, Tensor b) implements RecurrentState {}

  /** Three tensors. */
  record Three(Tensor a, Tensor b, Tensor c) implements RecurrentState {}

  /** A state of as many tensors. */
  static RecurrentState state(List<Tensor> tensors) {
    return switch (tensors.size()) {
      case 1 -> new One(tensors.get(0));
      case 2 -> new Two(tensors.get(0), tensors.get(1));
      default -> new Three(tensors.get(0), tensors.get(1), tensors.get(2));
    };
  }

  /** The input enters as in any affine cell. */
  record Affine(Content content, Parameter wx, Parameter b)
      implements ProgramCell, AffineCell<RecurrentState> {}

  /** An affine cell with a projection of its own. */
  record Overriding(Content content, Parameter wx, Parameter b)
      implements ProgramCell, AffineCell<RecurrentState> {
    @Override
    public int inputs() {
      return content.program().inputs();
    }

    @Override
    public Tensor project(Tensor x) {
      return content.program().projection().apply(x, wx.value(), b.value());
    }
  }

  /** A cell that is no affine one. */
  record Plain(Content content, Parameter wx, Parameter b) implements ProgramCell {
    @Override
    public int inputs() {
      return content.program().inputs();
    }

    @Override
    public Tensor project(Tensor x) {
      return content.program().projection().apply(x, wx.value(), b.value());
    }
  }

  static ProgramCell of(Content content, Parameter wx, Parameter b) {
    return switch (content.program().kind()) {
      case AFFINE -> new Affine(content, wx, b);
      case OVERRIDING -> new Overriding(content, wx, b);
      case PLAIN -> new Plain(content, wx, b);
    };
  }

  @Override
  default Parameters parameters() {
    List<Parameters.Named> all = new ArrayList<>();
    all.add(new Parameters.Named("wx", wx()));
    all.add(new Parameters.Named("b", b()));
    for (int i = 0; i < content().weights().size(); i++) {
      all.add(new Parameters.Named("w" + i, content().weights().get(i)));
    }
    return Parameters.of(all);
  }

  @Override
  default int outputs() {
    return content().program().outputs();
  }

  @Override
  default RecurrentState step(Tensor z, RecurrentState state) {
    List<Tensor> given = new ArrayList<>(List.of(z));
    given.addAll(state.tensors());
    return state(
        Evaluation.of(content().program().step(), content(), given.toArray(new Tensor[0])));
  }

  @Override
  default Tensor output(RecurrentState state) {
    Graph output = content().program().output();
    return output == null
        ? state.tensors().getFirst()
        : Evaluation.of(output, content(), state.tensors().toArray(new Tensor[0])).getFirst();
  }

  @Override
  default RecurrentState zero(int batch) {
    return state(
        content().program().states().stream()
            .map(columns -> wx().value().zerosLike(Shape.of(batch, columns)))
            .toList());
  }

  @Override
  default String label() {
    String label = content().program().label();
    return label == null ? getClass().getSimpleName() : label;
  }
}
