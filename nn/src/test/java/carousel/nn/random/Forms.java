package carousel.nn.random;

import carousel.nn.random.Form.Invalid;
import carousel.tensor.DType;
import carousel.tensor.op.Binary;
import carousel.tensor.op.Domain;
import carousel.tensor.op.Op;
import carousel.tensor.op.Reduce;
import carousel.tensor.op.Ternary;
import carousel.tensor.op.Unary;
import java.util.ArrayList;
import java.util.List;

/**
 * Finds the form of every value of a graph; throws {@link Invalid} where it is no program. So what
 * changes a program need not know what it breaks.
 *
 * @param lead the axes of the rows, negative numbers
 * @param given of what the program is given
 * @param weights of its parameters
 * @param captured of the tensors it holds
 * @param numbers how many numbers it holds
 */
record Forms(
    List<Integer> lead, List<Form> given, List<Form> weights, List<Form> captured, int numbers) {

  /** The forms of all nodes. */
  List<Form> of(Graph graph) {
    List<Form> forms = new ArrayList<>();
    for (Node node : graph.nodes()) {
      forms.add(of(node, forms));
    }
    return forms;
  }

  /** The form of a node among earlier ones. */
  Form of(Node node, List<Form> earlier) {
    for (int operand : node.operands()) {
      require(operand >= 0 && operand < earlier.size(), "no operand");
    }
    return switch (node) {
      case Node.Given(int i) -> at(given, i);
      case Node.Weight(int i) -> at(weights, i);
      case Node.Captured(int i) -> at(captured, i);
      case Node.Constant _ -> Form.of();
      case Node.Annealed(int i) -> {
        require(i < numbers, "no number");
        yield Form.of();
      }
      case Node.Made(Node.Pattern pattern, int columns, double _) ->
          switch (pattern) {
            case FULL, RAMP -> Form.of(columns);
            case FULL_ROWS -> Form.rows(lead, columns);
            case ZEROS_LIKE -> given.getFirst();
          };
      case Node.Row(Op row, List<Integer> operands) ->
          elementwise(row, operands.stream().map(earlier::get).toList());
      case Node.Own(OwnOp op, int output, List<Integer> operands) ->
          own(op, output, operands.stream().map(earlier::get).toList());
      case Node.Product(int left, int right) -> product(earlier.get(left), earlier.get(right));
      case Node.Joined(List<Integer> operands) ->
          joined(operands.stream().map(earlier::get).toList());
      case Node.Single single -> single(single, earlier.get(single.x()));
    };
  }

  private Form single(Node.Single node, Form x) {
    return switch (node) {
      case Node.Cast _ -> {
        require(x.mask(), "cast of numbers");
        yield x.asMask(false);
      }
      case Node.Transposed _ -> {
        require(x.rank() == 2 && x.isShared() && !x.mask(), "transpose");
        yield Form.of(x.dims().get(1), x.dims().get(0));
      }
      case Node.Chunk(int _, int pieces, int index) -> {
        int size = Math.ceilDiv(columns(x), pieces);
        int from = index * size;
        require(size > 0 && from < x.columns(), "chunk");
        yield x.withColumns(Math.min(size, x.columns() - from));
      }
      case Node.Split(int _, int at, int index) -> {
        require(at > 0 && at < columns(x), "split");
        yield x.withColumns(index == 0 ? at : x.columns() - at);
      }
      case Node.Narrow(int _, int start, int length) -> {
        require(start >= 0 && length > 0 && start + length <= columns(x), "narrow");
        yield x.withColumns(length);
      }
      case Node.Strided _ -> x.withColumns(Math.ceilDiv(columns(x), 2));
      case Node.Folded folded -> folded(folded, x);
      case Node.Softmaxed _ -> numbers(x);
      case Node.Pooled(Reduce reduce, int _, int blocks) -> {
        require(x.isRows(lead) && x.columns() % blocks == 0 && !x.mask(), "pooled");
        require(reduce.result(DType.F64) == DType.F64, "pooled to another type");
        yield x.withColumns(x.columns() / blocks);
      }
      case Node.Unsqueezed _ -> {
        require(x.dims().equals(lead), "unsqueeze");
        yield Form.rows(lead, 1).asMask(x.mask());
      }
      case Node.Expanded(int _, int columns) -> {
        require(x.isRows(lead) && x.columns() == 1, "expand");
        yield x.withColumns(columns);
      }
      case Node.Flipped _ -> {
        columns(x);
        yield x;
      }
      case Node.Cumulated _ -> numbers(x);
      case Node.Copied _, Node.Detached _ -> x;
      case Node.Dropped _ -> {
        require(x.isRows(lead) && !x.mask(), "dropout");
        yield x;
      }
      case Node.Composed(String _, Op row, int _) -> elementwise(row, List.of(x));
    };
  }

  private Form folded(Node.Folded node, Form x) {
    require(x.isRows(lead), "folded");
    boolean ofMasks = node.reduce().domain() == Domain.LOGICAL;
    require(x.mask() == ofMasks, "folded type");
    require(ofMasks || node.reduce().result(DType.F64) == DType.F64, "folded to another type");
    if (node.overRows()) {
      require(lead.size() == 1, "no axis of rows");
      return node.keep()
          ? Form.of(1, x.columns()).asMask(ofMasks)
          : Form.of(x.columns()).asMask(ofMasks);
    }
    List<Integer> dims = new ArrayList<>(lead);
    if (node.keep()) {
      dims.add(1);
    }
    return new Form(List.copyOf(dims), ofMasks);
  }

  private static Form own(OwnOp op, int output, List<Form> operands) {
    Form first = operands.getFirst();
    require(operands.stream().noneMatch(Form::mask), "masks of an op of its own");
    require(operands.size() == op.kind().inputs(), "operands of an op of its own");
    require(output < op.kind().outputs(), "output of an op of its own");
    if (op.kind() == OwnOp.Kind.OF_TWO) {
      return elementwise(op.row(), operands);
    }
    require(op.kind() != OwnOp.Kind.CENTRED || columns(first) > 0, "columns to centre");
    List<Integer> dims = Form.broadcast(first.dims(), operands.getLast().dims());
    require(dims.equals(first.dims()), "the second stands beside the first");
    return op.kind() == OwnOp.Kind.CENTRED ? first : elementwise(op.row(), List.of(first));
  }

  private static Form elementwise(Op row, List<Form> operands) {
    Domain domain =
        switch (row) {
          case Unary unary -> unary.domain();
          case Binary binary -> binary.domain();
          case Ternary ternary -> ternary.domain();
          default -> throw new Invalid("no elementwise row");
        };
    boolean where = row == Ternary.WHERE;
    List<Integer> dims = List.of();
    boolean mask = operands.getLast().mask();
    for (int i = 0; i < operands.size(); i++) {
      Form x = operands.get(i);
      dims = Form.broadcast(dims, x.dims());
      require(x.mask() == (mask || (where && i == 0)), "types differ");
    }
    require(domain.accepts(mask ? DType.BOOL : DType.F64), "domain");
    DType type = mask ? DType.BOOL : DType.F64;
    DType result =
        switch (row) {
          case Unary unary -> unary.result(type);
          case Binary binary -> binary.result(type);
          default -> type;
        };
    return new Form(dims, result == DType.BOOL);
  }

  private static Form product(Form left, Form right) {
    require(!left.mask() && !right.mask(), "product of masks");
    require(left.rank() >= 2 && right.rank() == 2 && right.isShared(), "product");
    require(left.columns() == right.dims().getFirst(), "inner sizes");
    return left.withColumns(right.columns());
  }

  private static Form joined(List<Form> parts) {
    Form first = parts.getFirst();
    require(first.rank() > 0, "concat of numbers");
    int columns = 0;
    for (Form part : parts) {
      require(
          part.rank() == first.rank()
              && part.mask() == first.mask()
              && part.withColumns(0).equals(first.withColumns(0)),
          "concat");
      columns += part.columns();
    }
    return first.withColumns(columns);
  }

  private static int columns(Form x) {
    require(x.rank() > 0 && x.columns() > 0, "no columns");
    return x.columns();
  }

  private static Form numbers(Form x) {
    require(!x.mask() && columns(x) > 0, "masks");
    return x;
  }

  private static Form at(List<Form> forms, int i) {
    require(i < forms.size(), "no such tensor");
    return forms.get(i);
  }

  static void require(boolean holds, String what) {
    if (!holds) {
      throw new Invalid(what);
    }
  }
}
