module org.example.owncell {
  requires carousel.nn;

  opens org.example to
      carousel.nn; // finds weights and states in records
}
