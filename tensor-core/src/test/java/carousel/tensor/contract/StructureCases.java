package carousel.tensor.contract;

import carousel.tensor.DType;
import carousel.tensor.Shape;
import carousel.tensor.op.Cast;
import carousel.tensor.op.Joins;
import carousel.tensor.op.Op;
import carousel.tensor.op.Views;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** Cases of the ops that move elements: views, joins, casts. */
final class StructureCases {
  private static final Arrangement[] ARRANGEMENTS = Arrangement.values();

  private StructureCases() {}

  /** An op and the shapes it is tried on. */
  private record Form(Op op, List<Shape> shapes) {
    Form(Op op, int[]... dims) {
      this(op, Arrays.stream(dims).map(Shape::of).toList());
    }
  }

  /** Forms that accept any arrangement of their inputs. */
  private static final List<Form> FORMS =
      List.of(
          new Form(new Views.Permute(List.of(2, 0, 1)), new int[] {5, 13, 7}),
          new Form(new Views.Permute(List.of(1, 0)), new int[] {207, 13}),
          new Form(new Views.Permute(List.of()), new int[] {}),
          new Form(new Views.Expand(Shape.of(4, 13, 7)), new int[] {13, 1}),
          new Form(new Views.Expand(Shape.of(0, 3)), new int[] {1, 3}),
          new Form(new Views.Expand(Shape.of(2, 3)), new int[] {}),
          new Form(new Views.Slice(1, 2, 3, 4), new int[] {3, 13}),
          new Form(new Views.Slice(0, 13, 1, 0), new int[] {13}),
          new Form(new Views.Slice(0, 1, 1, 206), new int[] {207, 2}),
          new Form(new Views.Select(1, 12), new int[] {3, 13, 2}),
          new Form(new Views.Select(0, 0), new int[] {1}),
          new Form(new Views.Flip(0), new int[] {13, 2}),
          new Form(new Views.Flip(1), new int[] {2, 0}),
          new Form(new Views.Detach(), new int[] {2, 3}),
          new Form(new Views.Unbind(1), new int[] {3, 4, 2}),
          new Form(new Views.Unbind(0), new int[] {0, 4}),
          new Form(new Views.Split(1, List.of(2, 0, 5)), new int[] {3, 7}),
          new Form(new Joins.Concat(0), new int[] {13}, new int[] {0}, new int[] {207}),
          new Form(new Joins.Concat(1), new int[] {5, 3, 2}, new int[] {5, 1, 2}),
          new Form(new Joins.Concat(1), new int[] {4, 7}),
          new Form(new Joins.Stack(0), new int[] {}, new int[] {}),
          new Form(new Joins.Stack(1), new int[] {13, 2}, new int[] {13, 2}, new int[] {13, 2}),
          new Form(new Joins.Stack(2), new int[] {13, 2}, new int[] {13, 2}),
          new Form(new Joins.Stack(0), new int[] {0, 2}, new int[] {0, 2}),
          new Form(new Joins.Spread(1, 2, 3, 13), new int[] {5, 3}),
          new Form(new Joins.Spread(0, 1, 1, 210), new int[] {207}),
          new Form(new Joins.Spread(0, 0, 2, 4), new int[] {0, 3}),
          new Form(new Joins.Copy(), new int[] {}),
          new Form(new Joins.Copy(), new int[] {4098}),
          new Form(new Joins.Copy(), new int[] {13, 207}),
          new Form(new Joins.Copy(), new int[] {2, 3, 5, 7}),
          new Form(new Joins.Copy(), new int[] {3, 0, 5}),
          new Form(new Joins.Copy(), new int[] {3, 23_001}));

  /** Small ones, for gradients. */
  private static final List<Form> SMALL =
      List.of(
          new Form(new Views.Reshape(Shape.of(3, 4)), new int[] {2, 6}),
          new Form(new Views.Permute(List.of(2, 0, 1)), new int[] {2, 3, 2}),
          new Form(new Views.Expand(Shape.of(2, 3, 2)), new int[] {3, 1}),
          new Form(new Views.Slice(1, 1, 2, 2), new int[] {2, 5}),
          new Form(new Views.Select(1, 2), new int[] {2, 3, 2}),
          new Form(new Views.Flip(0), new int[] {3, 2}),
          new Form(new Views.Unbind(1), new int[] {2, 3, 2}),
          new Form(new Views.Split(0, List.of(2, 3)), new int[] {5, 2}),
          new Form(new Joins.Concat(1), new int[] {2, 3}, new int[] {2, 1}, new int[] {2, 2}),
          new Form(new Joins.Stack(1), new int[] {3, 2}, new int[] {3, 2}),
          new Form(new Joins.Spread(1, 1, 2, 6), new int[] {2, 3}),
          new Form(new Joins.Copy(), new int[] {3, 2}),
          new Form(new Cast(DType.F64), new int[] {3, 2}));

  static Stream<OpCase> all() {
    return Stream.of(
            Arrays.stream(DType.values()).flatMap(StructureCases::moves),
            Arrays.stream(DType.values()).flatMap(StructureCases::reshapes),
            Arrays.stream(DType.values()).flatMap(StructureCases::casts))
        .flatMap(s -> s);
  }

  static Stream<OpCase> smooth() {
    return SMALL.stream()
        .map(form -> {
          Operand[] operands = new Operand[form.shapes.size()];
          for (int i = 0; i < operands.length; i++) {
            operands[i] = Operand.smooth(form.shapes.get(i), i);
          }
          return OpCase.of(form.op, operands);
        });
  }

  private static Stream<OpCase> moves(DType type) {
    return FORMS.stream()
        .flatMap(form ->
            Arrays.stream(ARRANGEMENTS)
                .filter(a -> a.suits(form.shapes.getFirst()))
                .map(a -> {
                  Operand[] operands = new Operand[form.shapes.size()];
                  for (int i = 0; i < operands.length; i++) {
                    Arrangement other = ARRANGEMENTS[(a.ordinal() + i) % ARRANGEMENTS.length];
                    operands[i] = Operand.of(type, form.shapes.get(i), 20 + i).with(other);
                  }
                  return OpCase.of(form.op, operands);
                }));
  }

  /** A reshape is a view; these arrangements allow it. */
  private static Stream<OpCase> reshapes(DType type) {
    var x = Operand.of(type, Shape.of(6, 20), 25);
    return Stream.of(
        OpCase.of(new Views.Reshape(Shape.of(120)), x),
        OpCase.of(new Views.Reshape(Shape.of(2, 3, 1, 4, 5)), x.with(Arrangement.OFFSET)),
        OpCase.of(new Views.Reshape(Shape.of(2, 3, 20)), x.with(Arrangement.STEPPED)),
        OpCase.of(new Views.Reshape(Shape.of(6, 1, 4, 5)), x.with(Arrangement.TRANSPOSED)),
        OpCase.of(new Views.Reshape(Shape.of(5, 24)), x.with(Arrangement.FLIPPED)),
        OpCase.of(new Views.Reshape(Shape.of(3, 2, 4, 5)), x.with(Arrangement.REPEATED_ROW)),
        OpCase.of(new Views.Reshape(Shape.of(1)), Operand.of(type, Shape.SCALAR, 26)),
        OpCase.of(new Views.Reshape(Shape.of(0, 7)), Operand.of(type, Shape.of(3, 0), 27)));
  }

  private static Stream<OpCase> casts(DType from) {
    return Arrays.stream(DType.values())
        .flatMap(to ->
            Stream.concat(
                Stream.of(
                    OpCase.of(
                        new Cast(to),
                        new Operand(from, Shape.of(207), Arrangement.DENSE, Values.special(from))),
                    OpCase.of(new Cast(to), Operand.of(from, Shapes.LARGE, 28))),
                Shapes.AWKWARD.stream()
                    .flatMap(shape ->
                        Arrays.stream(ARRANGEMENTS)
                            .filter(a -> a.suits(shape))
                            .map(a ->
                                OpCase.of(new Cast(to), Operand.of(from, shape, 29).with(a))))));
  }
}
