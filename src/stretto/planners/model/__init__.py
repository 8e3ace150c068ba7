"""Plans that a language model writes, checked like programs and begun while they are written.

`narrowing` chooses the skills that it is told of, `cards` and `prompting` say them in few words, `scanning` reads its
answer as it comes, `forms` and `parts` make tasks of that, `adopting` takes each into the plan once it is sound, and
`planner` asks, repairs and asks again.
"""
