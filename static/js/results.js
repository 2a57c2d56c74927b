// A cursor on the curves of a video or a sound, in step with it; a click on a curve goes there.
const place = (player, figures) => {
  for (const figure of figures) {
    const cursor = figure.querySelector(".curve-cursor");
    const svg = cursor.ownerSVGElement;
    const length = Number(figure.dataset.length);
    const x = String((svg.viewBox.baseVal.width * player.currentTime) / length);
    cursor.setAttribute("x1", x);
    cursor.setAttribute("x2", x);
    cursor.setAttribute("visibility", player.currentTime > length ? "hidden" : "visible");
  }
};

for (const player of document.querySelectorAll("[data-plays]")) {
  const figures = document.getElementById(player.dataset.plays).querySelectorAll("figure");
  const step = () => {
    place(player, figures);
    if (!player.paused) requestAnimationFrame(step);
  };
  player.addEventListener("play", step);
  for (const event of ["seeked", "timeupdate"]) {
    player.addEventListener(event, () => place(player, figures));
  }
  for (const figure of figures) {
    figure.querySelector("svg").addEventListener("click", (event) => {
      const box = event.currentTarget.getBoundingClientRect();
      const share = (event.clientX - box.left) / box.width;
      player.currentTime = share * Number(figure.dataset.length);
    });
  }
}
