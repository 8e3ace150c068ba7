"""Plans that a language model writes, checked like programs and begun while they are written.

`narrowing` chooses the skills that it is told of, `cards` and `prompting` say them in few words, `scanning` reads its
answer as it comes, `forms` takes what it wrote as it was meant, `answers` and `adopting` take each task into the plan
once it is sound, and `planner` asks, mends and asks again.
"""
