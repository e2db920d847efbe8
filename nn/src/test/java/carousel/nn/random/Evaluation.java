package carousel.nn.random;

import carousel.nn.layer.Dropout;
import carousel.tensor.Tensor;
import carousel.tensor.op.Composite;
import carousel.tensor.op.Op;
import carousel.tensor.op.Reduce;
import carousel.tensor.op.ReduceAxes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Runs a graph on tensors, as a user's code would. */
final class Evaluation {
  private final Held held;
  private final Tensor[] given;
  private final List<Tensor> values = new ArrayList<>();

  /** Pieces that were cut in one go. */
  private final Map<Node, List<Tensor>> pieces = new HashMap<>();

  /** What a program reads besides what it is given. */
  interface Held {
    Tensor weight(int index);

    Tensor captured(int index);

    double number(int index);
  }

  private Evaluation(Held held, Tensor... given) {
    this.held = held;
    this.given = given;
  }

  static List<Tensor> of(Graph graph, Held held, Tensor... given) {
    var run = new Evaluation(held, given);
    for (Node node : graph.nodes()) {
      run.values.add(run.value(node));
    }
    return graph.results().stream().map(run.values::get).toList();
  }

  private Tensor value(Node node) {
    Tensor like = given[0];
    return switch (node) {
      case Node.Given(int i) -> given[i];
      case Node.Weight(int i) -> held.weight(i);
      case Node.Captured(int i) -> held.captured(i);
      case Node.Constant(double value) -> like.scalarLike(value);
      case Node.Annealed(int i) -> like.scalarLike(held.number(i));
      case Node.Made(Node.Pattern pattern, int columns, double value) ->
          switch (pattern) {
            case FULL -> Tensor.full(like.dtype(), value, columns);
            case FULL_ROWS -> like.fullLike(like.shape().with(like.rank() - 1, columns), value);
            case ZEROS_LIKE -> like.zerosLike();
            case RAMP -> Tensor.linspace(like.dtype(), -value, value, columns);
          };
      case Node.Row(Op row, List<Integer> operands) ->
          Op.apply(row, operands.stream().map(values::get).toArray(Tensor[]::new));
      case Node.Own(OwnOp op, int output, List<Integer> operands) ->
          pieces
              .computeIfAbsent(
                  new Node.Own(op, 0, operands),
                  _ ->
                      List.of(
                          op.applyAll(operands.stream().map(values::get).toArray(Tensor[]::new))))
              .get(output);
      case Node.Product(int left, int right) -> values.get(left).matmul(values.get(right));
      case Node.Joined(List<Integer> operands) ->
          Tensor.concat(operands.stream().map(values::get).toList(), Tensor.LAST);
      case Node.Single single -> single(single, values.get(single.x()));
    };
  }

  private Tensor single(Node.Single node, Tensor x) {
    int last = x.rank() - 1;
    return switch (node) {
      case Node.Cast _ -> x.cast(given[0].dtype());
      case Node.Transposed _ -> x.transpose(0, 1);
      case Node.Chunk(int from, int count, int index) ->
          pieces
              .computeIfAbsent(new Node.Chunk(from, count, 0), _ -> x.chunk(count, Tensor.LAST))
              .get(index);
      case Node.Split(int from, int at, int index) ->
          pieces
              .computeIfAbsent(
                  new Node.Split(from, at, 0),
                  _ -> x.split(List.of(at, x.dim(last) - at), Tensor.LAST))
              .get(index);
      case Node.Narrow(int _, int start, int length) -> x.narrow(Tensor.LAST, start, length);
      case Node.Strided _ -> x.slice(Tensor.LAST, 0, x.dim(last), 2);
      case Node.Folded(Reduce reduce, int _, boolean keep, boolean overRows) ->
          folded(reduce, x, keep, overRows ? 0 : last);
      case Node.Softmaxed(int _, boolean log) ->
          log ? x.logSoftmax(Tensor.LAST) : x.softmax(Tensor.LAST);
      case Node.Pooled(Reduce reduce, int _, int blocks) -> {
        int[] dims = Arrays.copyOf(x.shape().toArray(), last + 2);
        dims[last] = blocks;
        dims[last + 1] = x.dim(last) / blocks;
        yield folded(reduce, x.reshape(dims), false, last);
      }
      case Node.Unsqueezed _ -> x.unsqueeze(-1);
      case Node.Expanded(int _, int columns) -> x.expand(x.shape().with(last, columns));
      case Node.Flipped _ -> x.flip(Tensor.LAST);
      case Node.Cumulated _ -> x.cumsum(Tensor.LAST);
      case Node.Copied _ -> x.copy();
      case Node.Detached _ -> x.detach();
      case Node.Dropped(int _, double probability) -> new Dropout(probability).apply(x);
      case Node.Composed(String label, Op row, int _) ->
          Op.apply(Composite.of(label, (Tensor t) -> Op.apply(row, t)), x);
    };
  }

  private static Tensor folded(Reduce reduce, Tensor x, boolean keep, int axis) {
    if (reduce == Reduce.PROD) {
      return x.prod(axis, keep);
    }
    Tensor kept = Op.apply(new ReduceAxes(reduce, List.of(axis)), x);
    return keep ? kept : kept.reshape(kept.shape().without(axis));
  }
}
