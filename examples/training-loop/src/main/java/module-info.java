module org.example.trainingloop {
  requires carousel.nn;

  opens org.example to
      carousel.nn; // finds weights in records that are not public
}
