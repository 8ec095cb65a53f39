const place = document.getElementById("description");
SwaggerUIBundle({
  domNode: place,
  url: place.dataset.description,
  deepLinking: true,
  validatorUrl: null,
});
